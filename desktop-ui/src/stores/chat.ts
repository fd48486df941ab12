// The open conversation: its head, its messages in order of their numbers, and what is not yet
// sent. Messages are merged by number, so a push that comes twice or beside a page changes nothing;
// an unsent item leaves as soon as a message with its client id is there. Pushes for another
// conversation are ignored. Only this file asks the core about conversations.

import { create } from "zustand";
import type { AgentCard } from "../../../shared/bindings/AgentCard";
import type { Message } from "../../../shared/bindings/Message";
import type { Note } from "../../../shared/bindings/Note";
import type { Chat } from "../../../shared/bindings/ui/Chat";
import type { ChatHead } from "../../../shared/bindings/ui/ChatHead";
import type { OutboxItem } from "../../../shared/bindings/ui/OutboxItem";
import { type Problem, problemOf, request } from "../host";
import {
  clearDraft,
  draftLoader,
  flushDrafts,
  returnToDraft,
  saveDraft,
  useDrafts,
  writeDraft,
} from "./drafts";
import { report } from "./notices";

/** Messages kept in the view while it stands at the end; older ones are read again on demand. */
const KEPT_AT_END = 600;
const KEPT_AFTER_TRIM = 300;
/** The core limits what the relay hears; this limits what the core hears. */
const TYPING_EVERY_MS = 2_000;
/** Of a head that any other one may replace. */
const UNKNOWN_EDITION = -1;

/** A text on its way into the outbox, shown in the frame of the key press. */
export interface Echo {
  id: number;
  text: string;
  at: number;
}

interface ChatStore {
  /** Which conversation the pane shows. */
  conversationId: string | null;
  phase: "none" | "opening" | "open" | "failed";
  problem: Problem | null;
  head: ChatHead | null;
  /** Oldest first, by number, without doubles. */
  messages: readonly Message[];
  /** Among staff; each stands after a message. In the order in which they stand. */
  notes: readonly Note[];
  hasEarlier: boolean;
  earlier: "idle" | "loading" | "failed";
  outbox: readonly OutboxItem[];
  echoes: readonly Echo[];
  agents: Readonly<Record<string, AgentCard>>;
  /** The "new messages" line stands after this number; `null` for none. */
  newAfter: number | null;
  ending: boolean;
}

const NONE: ChatStore = {
  conversationId: null,
  phase: "none",
  problem: null,
  head: null,
  messages: [],
  notes: [],
  hasEarlier: false,
  earlier: "idle",
  outbox: [],
  echoes: [],
  agents: {},
  newAfter: null,
  ending: false,
};

/** The open conversation. */
export const useChat = create<ChatStore>(() => NONE);

/** Merges by number; the result is sorted and without doubles. */
export function mergeMessages(
  held: readonly Message[],
  more: readonly Message[],
): readonly Message[] {
  if (more.length === 0) return held;
  const bySeq = new Map(held.map((message) => [message.seq, message]));
  for (const message of more) bySeq.set(message.seq, message);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** Merges by id; the result stands in order. */
export function mergeNotes(held: readonly Note[], more: readonly Note[]): readonly Note[] {
  if (more.length === 0) return held;
  const byId = new Map(held.map((note) => [note.id, note]));
  for (const note of more) byId.set(note.id, note);
  return [...byId.values()].sort(
    (a, b) => a.after - b.after || a.at - b.at || (a.id < b.id ? -1 : 1),
  );
}

/** The newest stretch without a hole: what lies behind one comes back by scrolling up. */
function newestStretch(messages: readonly Message[]): readonly Message[] {
  let from = messages.length - 1;
  while (from > 0 && messages[from]?.seq === (messages[from - 1]?.seq ?? 0) + 1) from -= 1;
  return from > 0 ? messages.slice(from) : messages;
}

/** Whether there may be more above: numbers are dense from 1, whatever a page said before. */
function mayHaveEarlier(messages: readonly Message[], said: boolean): boolean {
  return said && messages[0]?.seq !== 1;
}

/** What is still unsent when these messages are known. */
export function stillUnsent(
  outbox: readonly OutboxItem[],
  messages: readonly Message[],
): readonly OutboxItem[] {
  const sent = new Set(messages.map((message) => message.client_id));
  return outbox.filter((item) => !sent.has(item.client_id));
}

/** Where the "new messages" line stands in a conversation that is being opened. */
function newLine(chat: Chat): number | null {
  const read = chat.head.own_read;
  const unread = chat.messages.some((one) => one.seq > read && one.author.kind === "visitor");
  return unread && read > 0 ? read : null;
}

/** A reply and a push travel apart: whether a head was told before the one that is held. */
function isOlder(head: ChatHead, held: ChatHead | null): boolean {
  return held !== null && held.history === head.history && head.edition < held.edition;
}

/** The later of two heads; marks only grow, whoever brings them. */
function mergeHead(held: ChatHead | null, head: ChatHead): ChatHead {
  if (held === null || held.history !== head.history) return head;
  return {
    ...(isOlder(head, held) ? held : head),
    own_read: Math.max(held.own_read, head.own_read),
    visitor_marks: {
      delivered: Math.max(held.visitor_marks.delivered, head.visitor_marks.delivered),
      read: Math.max(held.visitor_marks.read, head.visitor_marks.read),
    },
  };
}

function isOpen(conversationId: string): boolean {
  return useChat.getState().conversationId === conversationId;
}

/** Shows a conversation. */
export async function openConversation(conversationId: string): Promise<void> {
  if (isOpen(conversationId) && useChat.getState().phase !== "failed") return;
  void flushDrafts();
  useChat.setState({ ...NONE, conversationId, phase: "opening" });
  await readOpen(conversationId);
}

/** Reads the shown conversation again: the way to the core was lost, or the cache replaced. It may be
 * another core, which counts its heads from the start. */
export async function reopenConversation(): Promise<void> {
  const { conversationId, head } = useChat.getState();
  if (conversationId === null) return;
  if (head !== null) useChat.setState({ head: { ...head, edition: UNKNOWN_EDITION } });
  await readOpen(conversationId);
}

async function readOpen(conversationId: string): Promise<void> {
  const loadDraft = draftLoader(conversationId);
  try {
    const chat = await request("open_conversation", { conversation_id: conversationId });
    if (!isOpen(conversationId)) return;
    loadDraft(chat.draft);
    useChat.setState((held) => {
      // What was pushed meanwhile is kept if it joins on; a page that starts later replaces it.
      const last = held.messages.at(-1)?.seq ?? 0;
      const first = chat.messages[0]?.seq ?? 0;
      const same = held.head === null || held.head.history === chat.head.history;
      const joins = same && held.messages.length > 0 && first <= last + 1;
      const messages = mergeMessages(joins ? held.messages : [], chat.messages);
      const reachesBack = joins && (held.messages[0]?.seq ?? 0) < first;
      return {
        phase: "open" as const,
        problem: null,
        head: mergeHead(held.head, chat.head),
        messages,
        notes: mergeNotes(joins ? held.notes : [], chat.notes),
        hasEarlier: mayHaveEarlier(messages, reachesBack ? held.hasEarlier : chat.has_earlier),
        outbox: stillUnsent(isOlder(chat.head, held.head) ? held.outbox : chat.outbox, messages),
        agents: Object.fromEntries(chat.agents.map((agent) => [agent.id, agent])),
        newAfter: held.phase === "opening" ? newLine(chat) : held.newAfter,
      };
    });
  } catch (error) {
    if (isOpen(conversationId)) {
      useChat.setState({ phase: "failed", problem: problemOf(error) });
    }
  }
}

/** Shows no conversation. */
export function closeConversation(): void {
  if (useChat.getState().conversationId === null) return;
  void flushDrafts();
  useChat.setState(NONE);
  request("close_conversation", {}).catch(() => {
    // The core notices by itself when another one is opened.
  });
}

/** Forgets the conversation without telling the core: no one is signed in any more. */
export function resetChat(): void {
  unheard.clear();
  useChat.setState(NONE);
}

/** The core said that a conversation changed. */
export function applyChat(
  conversationId: string,
  head: ChatHead,
  more: readonly Message[],
  notes: readonly Note[],
  outbox: readonly OutboxItem[],
): void {
  if (!isOpen(conversationId)) return;
  useChat.setState((held) => {
    // Of another history of the relay, or above a hole: it replaces what is held.
    const same = held.head === null || held.head.history === head.history;
    const merged = mergeMessages(same ? held.messages : [], more);
    const messages = newestStretch(merged);
    const cut = !same || messages.length < merged.length;
    const known = new Set(held.outbox.map((item) => item.client_id));
    const arrived = [...outbox, ...more].filter((one) => !known.has(one.client_id));
    return {
      head: mergeHead(held.head, head),
      messages,
      notes: mergeNotes(same ? held.notes : [], notes),
      hasEarlier: mayHaveEarlier(messages, cut || held.hasEarlier),
      outbox: stillUnsent(isOlder(head, held.head) ? held.outbox : outbox, messages),
      echoes: withoutArrived(held.echoes, arrived),
      newAfter: same ? nextNewLine(held, more) : null,
    };
  });
}

/** An echo leaves when its item or message comes by push before the reply does. */
function withoutArrived(
  echoes: readonly Echo[],
  arrived: readonly (OutboxItem | Message)[],
): readonly Echo[] {
  if (echoes.length === 0) return echoes;
  const texts = arrived.map((one) =>
    "text" in one ? one.text : one.content.kind === "text" ? one.content.text : "",
  );
  return echoes.filter((echo) => {
    const index = texts.indexOf(echo.text);
    if (index >= 0) texts.splice(index, 1);
    return index < 0;
  });
}

/** Visitor messages that come while nobody looks get a line in front. */
function nextNewLine(held: ChatStore, more: readonly Message[]): number | null {
  if (held.newAfter !== null || document.hasFocus()) return held.newAfter;
  const last = held.messages.at(-1)?.seq ?? 0;
  const fresh = more.some((one) => one.seq > last && one.author.kind === "visitor");
  return fresh && last > 0 ? last : null;
}

/** What the visitor of the open conversation types. */
export function applyChatPreview(conversationId: string, preview: string): void {
  if (!isOpen(conversationId)) return;
  useChat.setState(({ head }) => (head === null ? {} : { head: { ...head, preview } }));
}

/** Reads the messages before the oldest one shown. */
export async function loadEarlier(): Promise<void> {
  const { conversationId, messages, hasEarlier, earlier } = useChat.getState();
  const before = messages[0]?.seq;
  if (conversationId === null || before === undefined || !hasEarlier || earlier === "loading") {
    return;
  }
  useChat.setState({ earlier: "loading" });
  try {
    const page = await request("load_earlier", { conversation_id: conversationId, before });
    if (!isOpen(conversationId)) return;
    useChat.setState((held) =>
      // What is shown may begin elsewhere by now: then the page would stand above a hole.
      held.messages[0]?.seq === before
        ? {
            messages: mergeMessages(held.messages, page.items),
            notes: mergeNotes(held.notes, page.notes),
            hasEarlier: page.has_earlier,
            earlier: "idle",
          }
        : { earlier: "idle" },
    );
  } catch {
    if (isOpen(conversationId)) useChat.setState({ earlier: "failed" });
  }
}

/** Lets go of old messages while the view stands at the end. */
export function trimEarlier(): void {
  const { messages } = useChat.getState();
  if (messages.length > KEPT_AT_END) {
    useChat.setState({ messages: messages.slice(-KEPT_AFTER_TRIM), hasEarlier: true });
  }
}

let nextEcho = 1;

/** A text whose answer never came, and the name it was sent under. */
interface Unheard {
  text: string;
  clientId: string;
}
const unheard = new Map<string, Unheard>();

/** The name of a message: the same text said again after a lost answer is the same message. */
function nameFor(conversationId: string, text: string): string {
  const before = unheard.get(conversationId);
  return before?.text === text ? before.clientId : crypto.randomUUID();
}

/** Sends a text: it shows at once and is durable when the core replies. */
export async function sendMessage(conversationId: string, text: string): Promise<void> {
  const echo: Echo = { id: nextEcho++, text, at: Date.now() };
  if (isOpen(conversationId)) {
    useChat.setState((held) => ({ echoes: [...held.echoes, echo], newAfter: null }));
  }
  clearDraft(conversationId);
  const client_id = nameFor(conversationId, text);
  try {
    const { item } = await request("send_message", {
      conversation_id: conversationId,
      text,
      client_id,
    });
    unheard.delete(conversationId);
    if (!isOpen(conversationId)) return;
    useChat.setState((held) => ({
      echoes: held.echoes.filter((one) => one.id !== echo.id),
      outbox: held.outbox.some((one) => one.client_id === item.client_id)
        ? held.outbox
        : stillUnsent([...held.outbox, item], held.messages),
    }));
  } catch (error) {
    useChat.setState((held) => ({ echoes: held.echoes.filter((one) => one.id !== echo.id) }));
    const problem = problemOf(error);
    if (problem.kind === "host_lost") unheard.set(conversationId, { text, clientId: client_id });
    returnToDraft(conversationId, text);
    report(problem, "workbench.send_not_kept");
  }
}

/** Sends a failed or wedged message again. */
export async function retrySend(clientId: string): Promise<void> {
  try {
    await request("retry_send", { client_id: clientId });
  } catch (error) {
    report(problemOf(error));
  }
}

/** Takes an unsent message out of the outbox; the answer is whether it came out. */
export async function discardSend({ client_id }: Pick<OutboxItem, "client_id">): Promise<boolean> {
  try {
    await request("discard_send", { client_id });
    useChat.setState((held) => ({
      outbox: held.outbox.filter((item) => item.client_id !== client_id),
    }));
    return true;
  } catch (error) {
    report(problemOf(error), "workbench.discard_refused");
    return false;
  }
}

/**
 * Takes an unsent message back into the composer. The text is kept as a draft before the message is
 * taken out: whatever breaks between the two, it is not lost.
 */
export async function editUnsent(item: OutboxItem): Promise<void> {
  const id = item.conversation_id;
  const before = useDrafts.getState().texts[id] ?? "";
  returnToDraft(id, item.text);
  const returned = useDrafts.getState().texts[id];
  if ((await saveDraft(id)) && (await discardSend(item))) return;
  // It stays where it was; a draft changed meanwhile is the person's.
  if (useDrafts.getState().texts[id] === returned) writeDraft(id, before);
}

/** Ends a conversation. */
export async function endConversation(conversationId: string): Promise<void> {
  useChat.setState({ ending: true });
  try {
    await request("end_conversation", { conversation_id: conversationId });
  } catch (error) {
    report(problemOf(error), "workbench.end_refused");
  } finally {
    useChat.setState({ ending: false });
  }
}

/** Messages of the open conversation up to here are in view of a focused window. */
export function viewed(conversationId: string, seq: number): void {
  const { head } = useChat.getState();
  if (!isOpen(conversationId) || head === null || seq <= head.own_read) return;
  // Who only reads along leaves no mark: the visitor's "read" is of those who answer.
  if (head.standing !== "serving" && head.standing !== "member") return;
  const before = head.own_read;
  useChat.setState({ head: { ...head, own_read: seq } });
  request("viewed", { conversation_id: conversationId, seq }).catch(() => {
    // Not heard: it is said again when it is looked at again.
    const { head: now } = useChat.getState();
    if (isOpen(conversationId) && now?.own_read === seq) {
      useChat.setState({ head: { ...now, own_read: before } });
    }
  });
}

let typed = { conversationId: "", at: 0 };

/** The agent is typing. */
export function typing(conversationId: string): void {
  const now = Date.now();
  if (typed.conversationId === conversationId && now - typed.at < TYPING_EVERY_MS) return;
  typed = { conversationId, at: now };
  request("typing", { conversation_id: conversationId }).catch(() => {
    // A typing sign that is not heard is not missed.
  });
}
