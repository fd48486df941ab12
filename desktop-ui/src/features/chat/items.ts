// What the message stream draws, prepared from the store: messages, day dividers, the "new
// messages" line, unsent ones, the preview. Pure: values in, values out. Keys are stable, so that
// the virtual list keeps its anchor; an unsent message keeps its key when the relay's replaces it.

import type { AgentCard } from "../../../../shared/bindings/AgentCard";
import type { Marks } from "../../../../shared/bindings/Marks";
import type { Message } from "../../../../shared/bindings/Message";
import type { Note } from "../../../../shared/bindings/Note";
import type { OutboxItem } from "../../../../shared/bindings/ui/OutboxItem";
import { dayNumber } from "../../i18n/format";
import type { Echo } from "../../stores/chat";

/** The time stands beside a message at least this often. */
const TIME_EVERY_MS = 5 * 60_000;

/** On which side a bubble stands, and whose it is. */
export type Side = "visitor" | "own" | "colleague";
/** How far an own message came. */
export type Mark = "sent" | "delivered" | "read";

/** One drawn item. */
export type StreamItem =
  | { kind: "top"; key: string }
  | { kind: "day"; key: string; at: number }
  | { kind: "new"; key: string }
  | { kind: "system"; key: string; message: Message }
  | {
      kind: "message";
      key: string;
      message: Message;
      text: string;
      side: Side;
      /** Name of the colleague who wrote it; empty if unknown or not a colleague. */
      author: string;
      /** First of a run by the same author: has the face, and room above. */
      first: boolean;
      showTime: boolean;
      mark: Mark | null;
      /** The mark's word stands too: at the last message that came so far. */
      markWord: boolean;
    }
  | { kind: "note"; key: string; note: Note; author: string; own: boolean }
  | { kind: "unsent"; key: string; item: OutboxItem; first: boolean }
  | { kind: "echo"; key: string; echo: Echo; first: boolean }
  | { kind: "preview"; key: string; text: string; first: boolean }
  | { kind: "end"; key: string };

/** What the stream is made of. */
export interface StreamInput {
  ownId: string;
  messages: readonly Message[];
  /** In the order in which they stand. */
  notes: readonly Note[];
  outbox: readonly OutboxItem[];
  echoes: readonly Echo[];
  agents: Readonly<Record<string, AgentCard>>;
  marks: Marks;
  newAfter: number | null;
  preview: string;
}

function sideOf(message: Message, ownId: string): Side {
  if (message.author.kind === "visitor") return "visitor";
  return message.author.kind === "agent" && message.author.agent_id === ownId ? "own" : "colleague";
}

function markOf(seq: number, marks: Marks): Mark {
  if (seq <= marks.read) return "read";
  return seq <= marks.delivered ? "delivered" : "sent";
}

/** Who wrote it, as far as runs of one author go. */
function authorKey(message: Message): string {
  return message.author.kind === "agent" ? message.author.agent_id : message.author.kind;
}

/** Notes of messages that are not held stay out, like those messages. */
function firstNote({ messages, notes }: StreamInput): number {
  const first = messages[0]?.seq ?? 1;
  if (first <= 1) return 0;
  const at = notes.findIndex((note) => note.after >= first);
  return at < 0 ? notes.length : at;
}

function noteItem(note: Note, { ownId, agents }: StreamInput): StreamItem {
  const own = note.agent_id === ownId;
  const author = agents[note.agent_id]?.nickname ?? "";
  return { kind: "note", key: `note:${note.id}`, note, author, own };
}

/** Prepares the stream. */
export function streamItems(input: StreamInput): StreamItem[] {
  const items: StreamItem[] = [{ kind: "top", key: "top" }];
  let day: number | null = null;
  let author: string | null = null;
  let timeShownAt = Number.NEGATIVE_INFINITY;
  let newLine = input.newAfter;
  let nextNote = firstNote(input);

  /** Notes that stand before a message: kept out of every run of bubbles. */
  const notesBefore = (seq: number) => {
    for (let note = input.notes[nextNote]; note !== undefined && note.after < seq; ) {
      items.push(noteItem(note, input));
      author = null;
      note = input.notes[++nextNote];
    }
  };

  for (const message of input.messages) {
    notesBefore(message.seq);
    const itsDay = dayNumber(message.at);
    if (itsDay !== day) {
      items.push({ kind: "day", key: `day:${itsDay}:${message.seq}`, at: message.at });
      day = itsDay;
      author = null;
      timeShownAt = Number.NEGATIVE_INFINITY;
    }
    if (newLine !== null && message.seq > newLine) {
      items.push({ kind: "new", key: "new" });
      newLine = null;
      author = null;
    }
    if (message.content.kind !== "text") {
      items.push({ kind: "system", key: `seq:${message.seq}`, message });
      author = null;
      continue;
    }
    const side = sideOf(message, input.ownId);
    const showTime = message.at - timeShownAt >= TIME_EVERY_MS;
    if (showTime) timeShownAt = message.at;
    const writer = authorKey(message);
    items.push({
      kind: "message",
      key: side === "own" ? `own:${message.client_id}` : `seq:${message.seq}`,
      message,
      text: message.content.text,
      side,
      author:
        side === "colleague" && message.author.kind === "agent"
          ? (input.agents[message.author.agent_id]?.nickname ?? "")
          : "",
      first: writer !== author,
      showTime,
      mark: side === "own" ? markOf(message.seq, input.marks) : null,
      markWord: false,
    });
    author = writer;
  }
  notesBefore(Number.POSITIVE_INFINITY);
  nameMarks(items);
  for (const item of input.outbox) {
    const first = author !== input.ownId;
    items.push({ kind: "unsent", key: `own:${item.client_id}`, item, first });
    author = input.ownId;
  }
  for (const echo of input.echoes) {
    const first = author !== input.ownId;
    items.push({ kind: "echo", key: `echo:${echo.id}`, echo, first });
    author = input.ownId;
  }
  items.push({ kind: "end", key: "end" });
  return withPreview(items, input.preview);
}

/** With what the visitor types right now, last of all. It changes with every key; all the others stay the
 * objects they are, and need not be drawn again. */
export function withPreview(items: StreamItem[], preview: string): StreamItem[] {
  const end = items.at(-1);
  if (preview === "" || end === undefined) return items;
  const last = items.at(-2);
  const first = last?.kind !== "message" || last.side !== "visitor";
  return [...items.slice(0, -1), { kind: "preview", key: "preview", text: preview, first }, end];
}

/** Gives the word to the last message of each mark: "read" once, "delivered" once, "sent" once. */
function nameMarks(items: StreamItem[]): void {
  const named = new Set<Mark>();
  for (const item of [...items].reverse()) {
    if (item.kind !== "message" || item.mark === null || named.has(item.mark)) continue;
    item.markWord = true;
    named.add(item.mark);
  }
}

/** The number of the last message at or before an item; 0 for none. */
export function lastSeqAt(items: readonly StreamItem[], index: number): number {
  for (let at = Math.min(index, items.length - 1); at >= 0; at--) {
    const item = items[at];
    if (item?.kind === "message" || item?.kind === "system") return item.message.seq;
  }
  return 0;
}
