// The outbox: every message and leave-message the visitor wrote that the relay has not confirmed. A
// pure machine; the clock, ids and storage are passed in.
//
// The law: a message keeps its id from the moment it is written. After a lost link or a failure of
// the relay it is sent again under the same id, so a double send is harmless (the relay stores an id
// once). A refusal stops it: nothing goes again until a person decides. Messages leave in the order
// they were written, one in flight. Several tabs share one storage, an entry for each message, so
// that no tab overwrites another's. A leave-message that an agent overtook becomes a message, under its
// id: tabs that cannot agree may send both, and the relay stores the first.

import {
  canRetry,
  type ErrorCode,
  type PageContext,
  REOFFER_WITHIN_MS,
  type Reply,
  TEXT_CHARS_MAX,
  type VisitorAsks,
  WEDGED_AFTER_MS,
} from "./protocol";

/** Where a message stands. */
export type SendState =
  | { kind: "queued" }
  | { kind: "sending"; since: number }
  | { kind: "sent"; at: number }
  | { kind: "failed"; code: ErrorCode }
  | { kind: "wedged" };

/** What a leave-message says beside its text (H03). */
export interface Leave {
  readonly name: string;
  readonly contact: string;
}

/** Nothing was picked before the chat. */
export const NO_ASKS: VisitorAsks = { category: "", department_id: null, agent_id: null };

/** What is noted beside the text when it is written. */
export interface Context {
  page: PageContext;
  locale: string;
  visitor: string | null;
  /** Of a leave-message. */
  leave?: Leave | undefined;
  asks?: VisitorAsks;
}

/** One message on its way. */
export interface OutboxItem {
  readonly client_id: string;
  readonly text: string;
  /** When it was written, by this device's clock; it tells the age, never the order. */
  readonly at: number;
  /** Its place: above every item known where it was written. Two tabs' ties are broken by tab. */
  readonly order: number;
  /** The tab that wrote it, or asked to send it again. */
  readonly tab: string;
  /** As whom it goes; null: as whoever sends it first. */
  readonly visitor: string | null;
  readonly page: PageContext;
  readonly locale: string;
  /** It is a leave-message; null: a message. */
  readonly leave: Leave | null;
  /** What was picked before the chat; of weight if the message starts a conversation. */
  readonly asks: VisitorAsks;
  readonly state: SendState;
  /** How often it was sent without an answer that settled it. */
  readonly tries: number;
  /** Not before this time, by this device's clock; read it by `waitOf`. */
  readonly not_before: number;
  /** Why the relay did not take it at the last try, though it may later. */
  readonly held_by: ErrorCode | null;
  /** It is in the timeline; kept only to be offered again. */
  readonly has_arrived: boolean;
}

/** Where items survive a reload. `save` says whether it did. */
export interface OutboxStorage {
  save(item: OutboxItem): boolean;
  drop(client_id: string): void;
}

/** Unsent messages a visitor may pile up; more are refused in the composer. */
export const UNSENT_MAX = 50;
/** Acknowledged messages kept to be offered again: a visitor's day, not a disk full. */
const SENT_KEPT_MAX = 200;

/** No answer asks for a longer pause; one that does is asked again after this. */
const WAIT_MAX_MS = 60_000;

/**
 * How long an item still waits, in milliseconds. The device's clock may be set: a time further off
 * than any pause was noted before it was set back, and holds nothing.
 */
export function waitOf(item: OutboxItem, now: number): number {
  const wait = item.not_before - now;
  return wait > 0 && wait <= WAIT_MAX_MS ? wait : 0;
}

/** Whether an item's sender should have had an answer by now; also if the clock was set meanwhile. */
export function isOverdue(since: number, now: number, after: number): boolean {
  return Math.abs(now - since) > after;
}

function backOff(tries: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(tries, 10));
}

function isUnsettled(item: OutboxItem): boolean {
  return item.state.kind === "queued" || item.state.kind === "sending";
}

/** See the head of this file. */
export class Outbox {
  #items: OutboxItem[] = [];
  readonly #storage: OutboxStorage;
  readonly #tab: string;
  /** Items that only this tab knows: the storage did not take them. */
  readonly #unsaved = new Set<string>();
  /** Whether everything held also survives a reload. */
  is_durable = true;

  constructor(storage: OutboxStorage, tab: string) {
    this.#storage = storage;
    this.#tab = tab;
  }

  /** All items, in the order they were written. */
  get items(): readonly OutboxItem[] {
    return this.#items;
  }

  /** What an earlier page, or another tab, left. What was in flight there is not known: queued. */
  load(items: readonly OutboxItem[], now: number): void {
    for (const item of items) {
      const state: SendState = item.state.kind === "sending" ? { kind: "queued" } : item.state;
      this.#place(isOvertaken(item) ? said(item) : { ...item, state });
    }
    this.#prune(now);
  }

  /** Whether one more may be written. */
  has_room(): boolean {
    return this.#items.filter((item) => item.state.kind !== "sent").length < UNSENT_MAX;
  }

  /** A new message; shown from this moment. */
  write(client_id: string, text: string, context: Context, now: number): void {
    this.#put({
      client_id,
      text,
      at: now,
      order: this.#next_order(),
      tab: this.#tab,
      visitor: context.visitor,
      page: context.page,
      locale: context.locale,
      leave: context.leave ?? null,
      asks: context.asks ?? NO_ASKS,
      state: [...text].length > TEXT_CHARS_MAX ? failed("too_large") : { kind: "queued" },
      tries: 0,
      not_before: 0,
      held_by: null,
      has_arrived: false,
    });
  }

  /** Something else was picked before the chat: it holds for what was never sent, and sends what was
   * refused for want of it. */
  ask(asks: VisitorAsks, is_mine: (item: OutboxItem) => boolean): void {
    for (const item of this.#items) {
      if (item.leave !== null || !is_mine(item)) continue;
      if (lackedCategory(item)) this.#put({ ...item, asks, state: { kind: "queued" }, tries: 0 });
      else if (item.state.kind === "queued" && item.tries === 0) this.#put({ ...item, asks });
    }
  }

  /** The next message to go. */
  peek(is_mine: (item: OutboxItem) => boolean): OutboxItem | undefined {
    return this.#first(is_mine);
  }

  /** How long until the next message may go, or null; the first holds back those behind it. */
  wait(now: number, is_mine: (item: OutboxItem) => boolean): number | null {
    const first = this.#first(is_mine);
    return first && first.state.kind === "queued" ? waitOf(first, now) : null;
  }

  /** The next message to send now, marked as being sent, from now on as this visitor. */
  take(now: number, visitor: string, is_mine: (item: OutboxItem) => boolean): OutboxItem | null {
    for (;;) {
      const first = this.#first(is_mine);
      if (first?.state.kind !== "queued" || waitOf(first, now) > 0) return null;
      if (now - first.at > WEDGED_AFTER_MS) {
        this.#put({ ...first, state: { kind: "wedged" } });
        continue;
      }
      const sending: OutboxItem = {
        ...first,
        visitor,
        state: { kind: "sending", since: now },
        tries: first.tries + 1,
      };
      if (first.visitor === visitor) this.#put(sending);
      else this.#claim(sending);
      return sending;
    }
  }

  /** The relay answered. Says whether the answer was for an item of this outbox. */
  answer(reply: Reply, now: number): boolean {
    const item = this.find(reply.id);
    if (item === undefined) return false;
    if (item.state.kind === "sent") return true;
    if (reply.ok !== undefined) {
      this.#put({ ...item, state: { kind: "sent", at: now } });
    } else if (reply.error !== undefined && !canRetry(reply.error.code)) {
      const refused: OutboxItem = { ...item, state: failed(reply.error.code) };
      this.#put(isOvertaken(refused) ? said(refused) : refused);
    } else {
      const wait = Math.min(reply.error?.retry_after_ms ?? backOff(item.tries), WAIT_MAX_MS);
      const held_by = reply.error?.code ?? null;
      this.#put({ ...item, state: { kind: "queued" }, not_before: now + wait, held_by });
    }
    this.#prune(now);
    return true;
  }

  /** Nothing in flight can be answered any more: all of it goes again, under the same ids. */
  link_lost(): void {
    for (const item of this.#items) {
      if (item.state.kind === "sending") this.#put({ ...item, state: { kind: "queued" } });
    }
  }

  /** The message is in the timeline: stored, whether or not the answer came through. */
  arrive(client_id: string, now: number): void {
    const item = this.find(client_id);
    if (item === undefined || (item.state.kind === "sent" && item.has_arrived)) return;
    const state: SendState = item.state.kind === "sent" ? item.state : { kind: "sent", at: now };
    this.#put({ ...item, state, has_arrived: true });
  }

  /** A snapshot was read: what was acknowledged before is in it, or above it. */
  settle(): void {
    for (const item of this.#items) {
      if (item.state.kind === "sent" && !item.has_arrived) {
        this.#put({ ...item, has_arrived: true });
      }
    }
  }

  /** The relay knows this tab as somebody (else): what it wrote and never sent goes as that one. */
  become(former: string | null, visitor: string): void {
    for (const item of this.#items) {
      const is_free = item.state.kind === "queued" && item.tries === 0 && item.tab === this.#tab;
      if (is_free && item.visitor === former) this.#claim({ ...item, visitor });
    }
  }

  /** What is not this tab's to send, and was not sent for so long, waits for a person. */
  strand(is_foreign: (item: OutboxItem) => boolean, now: number, after: number): void {
    for (const item of this.#items) {
      if (item.state.kind !== "queued" || !isOverdue(item.at, now, after)) continue;
      if (is_foreign(item)) this.#put({ ...item, state: { kind: "wedged" } });
    }
  }

  /** The relay's history was replaced: what was acknowledged lately is offered again. */
  reoffer(now: number): void {
    for (const item of this.#items) {
      if (item.state.kind === "sent" && now - item.state.at < REOFFER_WITHIN_MS) {
        this.#put({ ...item, state: { kind: "queued" }, not_before: 0, has_arrived: false });
      }
    }
  }

  /** The visitor asks to send it again: unchanged, so under its id, unless that is spent. */
  retry(client_id: string, fresh_id: string, visitor: string | null, now: number): void {
    const item = this.find(client_id);
    if (item === undefined || isUnsettled(item) || item.state.kind === "sent") return;
    const is_spent = item.state.kind === "failed" && item.state.code === "id_reused";
    if (is_spent) this.#remove(client_id);
    this.#put({
      ...item,
      client_id: is_spent ? fresh_id : client_id,
      at: now,
      order: this.#next_order(),
      tab: this.#tab,
      visitor,
      state: { kind: "queued" },
      not_before: 0,
    });
  }

  /** Whether it is certain that no copy reached the relay, so that deleting means something. */
  may_discard(item: OutboxItem): boolean {
    if (item.state.kind === "failed" || item.state.kind === "wedged") return true;
    return item.state.kind === "queued" && item.tries === 0;
  }

  /** Takes a message back; its text, or null if it is too late. */
  discard(client_id: string): string | null {
    const item = this.find(client_id);
    if (item === undefined || !this.may_discard(item)) return null;
    this.#remove(client_id);
    return item.text;
  }

  /** Another tab changed an item (null: dropped it). What this tab has in flight stays its own. */
  observe(client_id: string, item: OutboxItem | null): void {
    const held = this.find(client_id);
    if (item === null) {
      this.#forget(client_id);
    } else if (held?.state.kind !== "sent" || item.state.kind !== "failed") {
      if (held?.state.kind === "sending" && item.state.kind !== "sent") return;
      this.#place({ ...item, has_arrived: item.has_arrived || (held?.has_arrived ?? false) });
    }
  }

  find(client_id: string): OutboxItem | undefined {
    return this.#items.find((item) => item.client_id === client_id);
  }

  #first(is_mine: (item: OutboxItem) => boolean): OutboxItem | undefined {
    return this.#items.find((item) => isUnsettled(item) && is_mine(item));
  }

  /** The items stand in order, so the last one has the highest. */
  #next_order(): number {
    return (this.#items.at(-1)?.order ?? 0) + 1;
  }

  #put(item: OutboxItem): void {
    this.#place(item);
    // Whatever is known here alone comes first: another tab would send what is later before it.
    const waits = this.#items.filter((it) => isUnsettled(it) && this.#unsaved.has(it.client_id));
    for (const other of [...waits, item]) this.is_durable = this.#save(other) && this.is_durable;
  }

  #save(item: OutboxItem): boolean {
    const is_saved = this.#storage.save(item);
    if (is_saved) this.#unsaved.delete(item.client_id);
    else this.#unsaved.add(item.client_id);
    return is_saved;
  }

  /** From now on one visitor's; if that cannot be written down, no other tab may find it. */
  #claim(item: OutboxItem): void {
    this.#place(item);
    if (this.#save(item)) return;
    this.is_durable = false;
    this.#storage.drop(item.client_id);
  }

  #place(item: OutboxItem): void {
    const others = this.#items.filter((other) => other.client_id !== item.client_id);
    this.#items = [...others, item].sort((a, b) => a.order - b.order || a.tab.localeCompare(b.tab));
  }

  #remove(client_id: string): void {
    this.#forget(client_id);
    this.#storage.drop(client_id);
  }

  #forget(client_id: string): void {
    this.#items = this.#items.filter((item) => item.client_id !== client_id);
    this.#unsaved.delete(client_id);
  }

  /** Acknowledged messages are kept only as long as they might be offered again, and not too many. */
  #prune(now: number): void {
    const sent = this.#items.filter((item) => item.state.kind === "sent");
    sent.forEach((item, at) => {
      const is_old = item.state.kind === "sent" && now - item.state.at >= REOFFER_WITHIN_MS;
      if (is_old || at < sent.length - SENT_KEPT_MAX) this.#remove(item.client_id);
    });
  }
}

function isOvertaken({ leave, state }: OutboxItem): boolean {
  return leave !== null && state.kind === "failed" && state.code === "overtaken";
}

/** An agent has the conversation by now, so it is said as a message. */
function said(item: OutboxItem): OutboxItem {
  return { ...item, leave: null, state: { kind: "queued" } };
}

/** The relay asked for a category that this window did not know of yet; nothing of it was stored. */
function lackedCategory({ state }: OutboxItem): boolean {
  return state.kind === "failed" && state.code === "category_needed";
}

function failed(code: ErrorCode): SendState {
  return { kind: "failed", code };
}
