// The shell around the machines: a real socket, real timers, real storage, the other tabs. Owns the
// state that is drawn; decides nothing that connection, outbox, timeline, marks or preview decide.

import { apply, isOpen } from "./apply";
import { waitsForPick } from "./asks";
import { steadyClock } from "./clock";
import { Connection, type Effect, type Input } from "./connection";
import { EnterRefused, Identity, isFinal, type TicketKeeper } from "./identity";
import { MarkPacer } from "./marks";
import { isOverdue, type Leave, NO_ASKS, Outbox, type OutboxItem } from "./outbox";
import type { Place } from "./place";
import { PreviewPacer } from "./preview";
import {
  type AgentCard,
  type ErrorCode,
  PAGE_MESSAGES,
  type PageContext,
  type Reply,
  TYPING_EXPIRES_MS,
  type VisitorAsks,
  type VisitorCommand,
  type VisitorMessage,
  type VisitorSnapshot,
} from "./protocol";
import { newId } from "./random";
import { itemOfKey, readItem, type SiteStorage } from "./storage";
import * as timeline from "./timeline";

/** How the link is shown. */
export type Link = "connecting" | "live" | "reconnecting" | "offline" | "refused";

/** Everything the screen shows. Replaced as a whole, never changed. */
export interface ChatState {
  link: Link;
  /** Since when it is not live, by this device's clock. */
  down_since: number | null;
  /** Why nothing can be sent, if the relay refused the visitor. */
  refusal: ErrorCode | null;
  /** What the relay said to a command that was not a message. */
  trouble: ErrorCode | null;
  held: VisitorSnapshot | null;
  timeline: timeline.Timeline;
  is_loading_earlier: boolean;
  outbox: readonly OutboxItem[];
  is_durable: boolean;
  is_agent_typing: boolean;
  /** The relay's last word on it; of the conversation it names, while that waits. */
  place: Place | null;
  /** What is picked for the conversation to come. */
  asks: VisitorAsks;
  unread: number;
  /** The relay's clock minus this device's. */
  clock_offset: number;
}

/** What the shell is given. */
export interface ClientParts {
  site: string;
  storage: SiteStorage;
  tickets: TicketKeeper;
  page: () => PageContext;
  locale: () => string;
  onAgentMessage: () => void;
}

/** Without answer for so long, another tab sends what this one's sender did not. */
const ADOPT_AFTER_MS = 5_000;
const LOST_ANSWER_MS = 20_000;

/** See the head of this file. */
export class ChatClient {
  #state: ChatState = {
    link: "connecting",
    down_since: null,
    refusal: null,
    trouble: null,
    held: null,
    timeline: timeline.EMPTY,
    is_loading_earlier: false,
    outbox: [],
    is_durable: true,
    is_agent_typing: false,
    place: null,
    asks: NO_ASKS,
    unread: 0,
    clock_offset: 0,
  };
  readonly #listeners = new Set<() => void>();
  readonly #tab = newId();
  /** The time for waiting; what the outbox stores has the device's. */
  readonly #now = steadyClock(
    () => performance.now(),
    () => Date.now(),
  );
  readonly #parts: ClientParts;
  readonly #identity: Identity;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  /** Items an earlier page left: where no tab sends for all, whoever finds them sends them. */
  readonly #found: ReadonlySet<string>;
  /** Names told since the snapshot: a page of history asked for before may still have the old. */
  readonly #names = new Map<string, AgentCard>();
  readonly #preview = new PreviewPacer();
  readonly #marks = new MarkPacer();
  #socket: WebSocket | null = null;
  #timer = 0;
  #is_started = false;
  #is_entering = false;
  #enter_tries = 0;
  #enter_at: number | null = null;
  #token: string | null = null;
  /** The token the relay no longer takes, until it has taken another. */
  #refused: string | null = null;
  #is_sender = false;
  #typing_until = 0;
  #history_id = "";
  #preview_id = "";
  #mark_id = "";
  #asked_id = "";
  #was_opened = false;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#identity = new Identity(parts.site, parts.storage, parts.tickets);
    this.#connection = new Connection(Math.random, newId, parts.storage.get("epoch"));
    this.#outbox = new Outbox(parts.storage, this.#tab);
    const left = parts.storage.items();
    this.#found = new Set(left.map((item) => item.client_id));
    this.#outbox.load(left, Date.now());
    this.#outbox.is_durable = parts.storage.is_durable;
    this.#publish({});
  }

  get state(): ChatState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Becomes a visitor and connects; before this nothing reaches the relay. */
  start(): void {
    if (this.#is_started) return;
    this.#is_started = true;
    this.#publish({ down_since: Date.now() });
    this.#parts.storage.listen(window, (key, value) => this.#observe(key, value));
    window.addEventListener("online", () => this.#hurry());
    window.addEventListener("offline", () => this.#publish({}));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#hurry();
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.#hurry();
    });
    this.#claimSending();
    void this.#enter();
  }

  show(is_open: boolean): void {
    this.#was_opened = is_open;
    this.#pump();
  }

  /** Tries the door again after a refusal. */
  enterAgain(): void {
    this.#connection.refusal = null;
    this.#publish({ refusal: null });
    void this.#enter();
  }

  /** Writes a message, or leaves one; it is shown at once. False: the outbox is full. */
  write(text: string, leave?: Leave): boolean {
    if (!this.#outbox.has_room()) return false;
    const { page, locale } = this.#parts;
    const { asks } = this.#state;
    const context = { page: page(), locale: locale(), visitor: this.#visitor(), leave, asks };
    this.#outbox.write(newId(), text, context, Date.now());
    this.#preview.type("");
    this.#pump();
    return true;
  }

  retry(client_id: string): void {
    this.#outbox.retry(client_id, newId(), this.#visitor(), Date.now());
    this.#pump();
  }

  /** Takes an unsent message back and gives its text. */
  discard(client_id: string): string | null {
    const text = this.#outbox.discard(client_id);
    this.#publish({});
    return text;
  }

  /** What the visitor picks for the conversation to come, and for what waits for it. */
  pick(asks: VisitorAsks): void {
    this.#outbox.ask(asks, (item) => !this.#isForeign(item));
    this.#publish({ asks });
    this.#pump();
  }

  /** What stands in the composer, for the preview. */
  type(draft: string): void {
    this.#preview.type(draft);
    this.#pump();
  }

  /** Messages of the newest conversation up to here are in view. */
  view(seq: number): void {
    const conversation = this.#state.held?.conversation;
    if (!conversation) return;
    if (seq <= this.#marks.read_of(conversation)) return;
    this.#marks.view(conversation.id, seq);
    this.#pump();
  }

  end(): void {
    if (!isOpen(this.#state.held?.conversation)) return;
    this.#ask({ type: "end_conversation", body: {} });
  }

  leaveQueue(): void {
    this.#ask({ type: "leave_queue", body: {} });
  }

  loadEarlier(): void {
    const { has_earlier, messages } = this.#state.timeline;
    const first = messages[0];
    if (!has_earlier || this.#state.is_loading_earlier || first === undefined) return;
    this.#history_id = newId();
    const before = { conversation_id: first.conversation_id, seq: first.seq };
    const body = { before, limit: PAGE_MESSAGES };
    const is_loading = this.#command(this.#history_id, { type: "load_history", body });
    this.#publish({ is_loading_earlier: is_loading });
  }

  /** Something that is done now or not at all. */
  #ask(command: VisitorCommand): void {
    this.#asked_id = newId();
    const is_sent = this.#command(this.#asked_id, command);
    this.#publish({ trouble: is_sent ? null : "unavailable" });
  }

  async #enter(): Promise<void> {
    if (this.#is_entering) return;
    this.#is_entering = true;
    this.#enter_at = null;
    try {
      this.#token = await this.#identity.token(this.#refused);
      this.#is_entering = false;
      // A token refused again and again waits longer and longer, like a link that fails.
      if (this.#refused !== null) this.#enter_tries += 1;
      this.#step({ kind: "start", token: this.#token });
    } catch (thrown) {
      this.#is_entering = false;
      const error = thrown instanceof EnterRefused ? thrown.error : null;
      if (isFinal(error?.code)) {
        this.#publish({ refusal: error?.code ?? null });
        return;
      }
      this.#enterLater(error?.retry_after_ms);
    }
  }

  #enterLater(wait?: number): void {
    const most = Math.min(30_000, 1_000 * 2 ** Math.min(this.#enter_tries, 10));
    this.#enter_tries += 1;
    this.#enter_at = this.#now() + (wait ?? Math.round(most * (0.5 + Math.random() / 2)));
    this.#publish({});
    this.#schedule();
  }

  #hurry(): void {
    if (this.#enter_at !== null) void this.#enter();
    this.#step({ kind: "hurry" });
  }

  #step(input: Input): void {
    const effects = this.#connection.step(this.#now(), input);
    for (const effect of effects) this.#carryOut(effect);
    this.#pump();
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "open":
        this.#openSocket();
        break;
      case "close":
        this.#closeSocket();
        break;
      case "send":
        this.#socket?.send(effect.text);
        break;
      case "enter":
        this.#refused = this.#token;
        if (this.#enter_tries > 2) this.#enterLater();
        else void this.#enter();
        break;
      case "live":
        this.#enter_tries = 0;
        this.#refused = null;
        this.#preview.linked(this.#now());
        if (this.#token !== null) this.#identity.keep(this.#token);
        if (this.#connection.epoch) this.#parts.storage.set("epoch", this.#connection.epoch);
        this.#publish({ clock_offset: effect.relay_now - Date.now(), trouble: null });
        break;
      case "snapshot":
        this.#takeSnapshot(effect.snapshot, effect.is_new_epoch);
        break;
      case "events":
        this.#takeEvents(effect.events);
        break;
      case "reply":
        this.#takeReply(effect.reply);
        break;
      case "signal":
        if (effect.signal.kind === "agent_typing") {
          this.#typing_until = this.#now() + TYPING_EXPIRES_MS;
        } else if (effect.signal.kind === "place") {
          this.#publish({ place: effect.signal });
        }
        break;
      case "lost":
        this.#outbox.link_lost();
        this.#marks.forget();
        this.#preview.forget();
        this.#typing_until = 0;
        this.#publish({ is_loading_earlier: false });
        break;
    }
  }

  #openSocket(): void {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/visitor`);
    this.#socket = socket;
    const only = (run: () => void) => () => {
      if (this.#socket === socket) run();
    };
    socket.onopen = only(() => this.#step({ kind: "opened" }));
    socket.onclose = only(() => this.#step({ kind: "closed" }));
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.#socket !== socket || typeof event.data !== "string") return;
      this.#step({ kind: "frame", text: event.data });
    };
  }

  #closeSocket(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #takeSnapshot(snapshot: VisitorSnapshot, is_new_epoch: boolean): void {
    this.#names.clear();
    const former = this.#visitor();
    if (former !== snapshot.visitor.id) this.#outbox.become(former, snapshot.visitor.id);
    const fresh = { messages: snapshot.messages, has_earlier: snapshot.has_earlier };
    const kept = is_new_epoch ? timeline.EMPTY : this.#state.timeline;
    if (is_new_epoch) this.#outbox.reoffer(Date.now());
    else this.#outbox.settle();
    for (const message of snapshot.messages) this.#outbox.arrive(message.client_id, Date.now());
    const asks = isOpen(snapshot.conversation) ? NO_ASKS : this.#state.asks;
    this.#publish({ held: snapshot, timeline: timeline.replaceTail(kept, fresh), asks });
  }

  #takeEvents(events: Parameters<typeof apply>[1][]): void {
    let { held } = this.#state;
    let shown = this.#state.timeline;
    if (held === null) return;
    let { asks, place, trouble } = this.#state;
    let has_agent_message = false;
    for (const event of events) {
      held = apply(held, event);
      if (event.type === "agent_changed") {
        this.#names.set(event.agent.id, event.agent);
        shown = timeline.rename(shown, event.agent);
      }
      // Picked for the one that began; the next one asks again.
      if (event.type === "conversation_started") asks = NO_ASKS;
      if (event.type === "status_changed") {
        // Whatever did not work before, things stand otherwise now.
        trouble = null;
        if (event.status.kind !== "waiting") place = null;
      }
      if (event.type !== "message_appended") continue;
      shown = timeline.append(shown, event.message);
      this.#outbox.arrive(event.message.client_id, Date.now());
      has_agent_message ||= event.message.author.kind === "agent";
    }
    if (has_agent_message) {
      this.#typing_until = 0;
      this.#parts.onAgentMessage();
    }
    this.#publish({ held, timeline: shown, asks, place, trouble });
  }

  #takeReply(reply: Reply): void {
    if (reply.id === this.#history_id) {
      const page = reply.ok?.kind === "history" ? reply.ok.page : null;
      this.#publish({
        is_loading_earlier: false,
        timeline: page
          ? timeline.prepend(this.#state.timeline, page, this.#names)
          : this.#state.timeline,
      });
    } else if (reply.id === this.#asked_id) {
      // Overtaken: an agent has it, which shows by itself.
      const code = reply.error?.code ?? null;
      if (code !== "overtaken") this.#publish({ trouble: code });
    } else if (reply.id === this.#preview_id) {
      // Answered only when refused: what stands in the composer is told again.
      this.#preview.refuse();
    } else if (reply.id === this.#mark_id) {
      if (reply.error) this.#marks.forget();
    } else {
      this.#outbox.answer(reply, Date.now());
    }
  }

  #command(id: string, command: VisitorCommand): boolean {
    if (this.#connection.phase !== "live" || this.#socket?.readyState !== WebSocket.OPEN) {
      return false;
    }
    this.#socket.send(JSON.stringify({ id, ...command }));
    return true;
  }

  /** Sends whatever is due and looks again when the next thing is. */
  #pump(): void {
    const now = this.#now();
    const { held } = this.#state;
    if (this.#connection.phase === "live" && held !== null) {
      // Once an opening; where it is lost, the first message begins one all the same (B14).
      if (this.#was_opened && held.site.begins_on_open && !isOpen(held.conversation)) {
        const body = { page: this.#parts.page(), locale: this.#parts.locale() };
        this.#command(newId(), { type: "begin_conversation", body });
      }
      this.#was_opened = false;
      this.#sendMessages(Date.now(), held.visitor.id);
      this.#sendPreview(now, held);
      const mark = held.conversation && this.#marks.take(now, held.conversation);
      if (mark) {
        this.#mark_id = newId();
        this.#command(this.#mark_id, { type: "mark", body: mark });
      }
    }
    this.#publish({});
    this.#schedule();
  }

  #sendMessages(now: number, visitor: string): void {
    this.#outbox.strand((other) => this.#isForeign(other), now, ADOPT_AFTER_MS);
    const stuck = this.#outbox.items.some(
      ({ state }) => state.kind === "sending" && isOverdue(state.since, now, LOST_ANSWER_MS),
    );
    if (stuck) {
      // The relay is heard but does not answer: a new link asks again under the same id.
      const inputs: Input[] = [{ kind: "stop" }];
      if (this.#token !== null) inputs.push({ kind: "start", token: this.#token });
      for (const input of inputs) {
        const effects = this.#connection.step(this.#now(), input);
        for (const effect of effects) this.#carryOut(effect);
      }
      return;
    }
    const isMine = (other: OutboxItem) => this.#isMine(other, now);
    const first = this.#outbox.peek(isMine);
    if (first === undefined || waitsForPick(this.#state.held, first)) return;
    const item = this.#outbox.take(now, visitor, isMine);
    if (item === null) return;
    const { text, page, locale, leave, asks } = item;
    this.#command(
      item.client_id,
      leave === null
        ? { type: "send_message", body: { text, page, locale, asks } }
        : {
            type: "leave_message",
            body: { name: leave.name, contact: leave.contact, text, page, locale },
          },
    );
  }

  #sendPreview(now: number, held: VisitorSnapshot): void {
    if (!held.site.preview || held.conversation?.status.kind !== "serving") return;
    const text = this.#preview.take(now);
    if (text === null) return;
    this.#preview_id = newId();
    this.#command(this.#preview_id, { type: "preview", body: { text } });
  }

  #schedule(): void {
    const now = this.#now();
    const { held } = this.#state;
    const due: (number | null)[] = [this.#connection.due_at(), this.#enter_at];
    if (this.#typing_until > now) due.push(this.#typing_until);
    const is_live = this.#connection.phase === "live" && held !== null;
    if (is_live && held.conversation) due.push(this.#marks.due_at(held.conversation));
    if (is_live && held.conversation?.status.kind === "serving" && held.site.preview) {
      due.push(this.#preview.due_at());
    }
    const waits = due.filter((at) => at !== null).map((at) => at - now);
    if (is_live) waits.push(this.#messageWait(Date.now()));
    const soonest = Math.min(...waits);
    window.clearTimeout(this.#timer);
    if (soonest === Number.POSITIVE_INFINITY) return;
    this.#timer = window.setTimeout(() => this.#wake(), Math.max(0, soonest));
  }

  /** Who the relay says this tab is, once it has. */
  #visitor(): string | null {
    return this.#state.held?.visitor.id ?? null;
  }

  /** How long until the outbox has something to do, by the device's clock. */
  #messageWait(now: number): number {
    const { items } = this.#outbox;
    const isMine = (item: OutboxItem) => this.#isMine(item, now);
    const first = this.#outbox.peek(isMine);
    const is_held = first !== undefined && waitsForPick(this.#state.held, first);
    const next = is_held ? null : this.#outbox.wait(now, isMine);
    const is_any = (kind: string) => items.some((item) => item.state.kind === kind);
    const look = is_any("sending") ? LOST_ANSWER_MS : is_any("queued") ? ADOPT_AFTER_MS : null;
    return Math.min(next ?? Infinity, look ?? Infinity);
  }

  #wake(): void {
    if (this.#enter_at !== null && this.#now() >= this.#enter_at) void this.#enter();
    this.#step({ kind: "tick" });
  }

  /** One tab sends for all; where tabs cannot agree on one, each sends its own and what it found. */
  #isMine(item: OutboxItem, now: number): boolean {
    if (this.#isForeign(item)) return false;
    if (this.#is_sender || isOverdue(item.at, now, ADOPT_AFTER_MS)) return true;
    const can_agree = navigator.locks !== undefined && this.#parts.storage.is_durable;
    return !can_agree && (item.tab === this.#tab || this.#found.has(item.client_id));
  }

  /** Another visitor's. What nobody claimed belongs to its tab, and to whom the storage knows. */
  #isForeign(item: OutboxItem): boolean {
    if (item.visitor !== null) return item.visitor !== this.#visitor();
    return item.tab !== this.#tab && !this.#identity.is_shared(this.#token);
  }

  #claimSending(): void {
    const hold = () =>
      new Promise<never>(() => {
        this.#is_sender = true;
        this.#pump();
      });
    navigator.locks?.request(`yingke:${this.#parts.site}:send`, hold).catch(() => {
      this.#is_sender = true;
      this.#pump();
    });
  }

  #observe(key: string, value: string | null): void {
    const client_id = itemOfKey(key);
    if (client_id === null) return;
    this.#outbox.observe(client_id, readItem(value));
    this.#pump();
  }

  #link(): Link {
    const { phase } = this.#connection;
    if (this.#state.refusal !== null || phase === "refused") return "refused";
    if (phase === "live") return "live";
    if (navigator.onLine === false) return "offline";
    return this.#connection.was_live || this.#enter_tries > 0 ? "reconnecting" : "connecting";
  }

  #publish(change: Partial<ChatState>): void {
    const next = { ...this.#state, ...change };
    next.refusal = next.refusal ?? this.#connection.refusal;
    this.#state = next;
    next.link = this.#link();
    next.down_since = next.link === "live" ? null : (next.down_since ?? Date.now());
    next.outbox = this.#outbox.items;
    next.is_durable = this.#outbox.is_durable;
    next.is_agent_typing = this.#typing_until > this.#now();
    next.unread = unreadOf(next, this.#marks);
    for (const listener of this.#listeners) listener();
  }
}

function unreadOf(state: ChatState, marks: MarkPacer): number {
  const conversation = state.held?.conversation;
  if (!conversation) return 0;
  const read = marks.read_of(conversation);
  const is_unread = (message: VisitorMessage) =>
    message.conversation_id === conversation.id &&
    message.seq > read &&
    message.author.kind === "agent";
  return state.timeline.messages.filter(is_unread).length;
}
