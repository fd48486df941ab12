// The link to the relay as a pure machine: inputs and the time go in, effects come out. It knows
// the epoch and the position, says hello, watches for silence, and decides when to try again. The
// shell (client.ts) carries out the effects with a real socket.

import { readFrame } from "./frames";
import {
  type ErrorCode,
  PROTOCOL_VERSION,
  type Reply,
  SILENCE_MAX_MS,
  type VisitorEvent,
  type VisitorFrame,
  type VisitorSignal,
  type VisitorSnapshot,
} from "./protocol";

/** What happened outside. */
export type Input =
  | { kind: "start"; token: string }
  | { kind: "stop" }
  | { kind: "opened" }
  | { kind: "frame"; text: string }
  | { kind: "closed" }
  /** The network is back, or the page is looked at again: try at once. */
  | { kind: "hurry" }
  | { kind: "tick" };

/** What is to be done outside. */
export type Effect =
  | { kind: "open" }
  | { kind: "close" }
  | { kind: "send"; text: string }
  /** The token is no good: enter again, then `start`. */
  | { kind: "enter" }
  | { kind: "live"; relay_now: number }
  | { kind: "snapshot"; snapshot: VisitorSnapshot; is_new_epoch: boolean }
  | { kind: "events"; events: VisitorEvent[] }
  | { kind: "reply"; reply: Reply }
  | { kind: "signal"; signal: VisitorSignal }
  | { kind: "lost" };

/** How the link stands. */
export type Phase = "idle" | "connecting" | "greeting" | "live" | "waiting" | "refused";

const CONNECT_MAX_MS = 15_000;
const HURRY_SILENCE_MS = 11_000;
const BACK_OFF_MAX_MS = 30_000;
const BACK_OFF_MS = 500;
/** The longest wait while an outage is short: after it a message is there within a second. */
const BACK_OFF_SOON_MAX_MS = 750;
/** Tries before the waits grow: about twenty seconds. */
const BACK_OFF_SOON_TRIES = 50;
/** A link that stood this long was good: the next try comes soon again. */
const STEADY_MS = 5_000;

/** See the head of this file. `random` gives numbers in [0, 1), `next_id` ids for commands. */
export class Connection {
  phase: Phase = "idle";
  /** Why it does not try again by itself. */
  refusal: ErrorCode | null = null;
  /** Whether it was ever live. */
  was_live = false;
  /** The identity of the log last read, from an earlier page too. */
  epoch: string | null;

  #token = "";
  #position: number | null = null;
  #tries = 0;
  #since = 0;
  #retry_at = 0;
  /** Until when the relay asked not to be tried, if its last word said so. */
  #told_wait: number | null = null;
  #live_at = 0;
  #is_second_hole = false;
  readonly #random: () => number;
  readonly #next_id: () => string;

  constructor(random: () => number, next_id: () => string, known_epoch: string | null = null) {
    this.#random = random;
    this.#next_id = next_id;
    this.epoch = known_epoch;
  }

  /** When the machine wants a tick, or null. */
  due_at(): number | null {
    switch (this.phase) {
      case "connecting":
      case "greeting":
        return this.#since + CONNECT_MAX_MS;
      case "live":
        return this.#since + SILENCE_MAX_MS;
      case "waiting":
        return this.#retry_at;
      default:
        return null;
    }
  }

  step(now: number, input: Input): Effect[] {
    switch (input.kind) {
      case "start":
        this.#token = input.token;
        this.refusal = null;
        return this.phase === "live" ? [] : this.#connect(now);
      case "stop":
        return this.#stop();
      case "opened":
        return this.phase === "connecting" ? this.#greet(now) : [];
      case "frame":
        return this.phase === "greeting" || this.phase === "live"
          ? this.#read(now, input.text)
          : [];
      case "closed":
        return this.#is_up() ? this.#lose(now, false) : [];
      case "hurry":
        return this.#hurry(now);
      case "tick":
        return this.#tick(now);
    }
  }

  #is_up(): boolean {
    return this.phase === "connecting" || this.phase === "greeting" || this.phase === "live";
  }

  #connect(now: number): Effect[] {
    const effects: Effect[] = this.#is_up() ? [{ kind: "close" }] : [];
    this.phase = "connecting";
    this.#since = now;
    return [...effects, { kind: "open" }];
  }

  #stop(): Effect[] {
    const was_up = this.#is_up();
    this.phase = "idle";
    return was_up ? [{ kind: "close" }, { kind: "lost" }] : [];
  }

  #greet(now: number): Effect[] {
    this.phase = "greeting";
    this.#since = now;
    const { epoch } = this;
    const position = this.#position;
    const resume = epoch === null || position === null ? null : { epoch, position };
    const body = { version: PROTOCOL_VERSION, token: this.#token, resume };
    return [{ kind: "send", text: JSON.stringify({ id: this.#next_id(), type: "hello", body }) }];
  }

  #tick(now: number): Effect[] {
    const due = this.due_at();
    if (due === null || now < due) return [];
    return this.phase === "waiting" ? this.#connect(now) : this.#lose(now, true);
  }

  #hurry(now: number): Effect[] {
    if (this.phase === "waiting") return now < (this.#told_wait ?? 0) ? [] : this.#connect(now);
    const is_silent = this.phase === "live" && now - this.#since > HURRY_SILENCE_MS;
    if (!is_silent) return [];
    const effects = this.#lose(now, true);
    return [...effects, ...this.#connect(now)];
  }

  #lose(now: number, must_close: boolean, told_wait: number | null = null): Effect[] {
    if (this.phase === "live" && now - this.#live_at > STEADY_MS) this.#tries = 0;
    const most = backOff(this.#tries);
    this.#told_wait = told_wait;
    this.#retry_at = told_wait ?? now + Math.round(this.#random() * most);
    this.#tries += 1;
    this.phase = "waiting";
    return must_close ? [{ kind: "close" }, { kind: "lost" }] : [{ kind: "lost" }];
  }

  #read(now: number, text: string): Effect[] {
    const frame = readFrame(text);
    if (frame === null) return [];
    if (this.phase === "live") this.#since = now;
    switch (frame.type) {
      case "welcome":
        return this.#welcome(now, frame);
      case "delivery":
        return this.phase === "live" ? this.#deliver(now, frame) : [];
      case "reply":
        return [{ kind: "reply", reply: frame }];
      case "signal":
        return [{ kind: "signal", signal: frame.signal }];
      case "bye":
        return this.#bye(now, frame.error.code, frame.error.retry_after_ms ?? null);
      default:
        return [];
    }
  }

  #welcome(now: number, frame: VisitorFrame & { type: "welcome" }): Effect[] {
    const is_new_epoch = this.epoch !== null && this.epoch !== frame.epoch;
    this.epoch = frame.epoch;
    this.#position = frame.start.position;
    this.#since = now;
    this.#live_at = now;
    this.phase = "live";
    this.was_live = true;
    const effects: Effect[] = [];
    if (frame.start.mode === "snapshot") {
      effects.push({ kind: "snapshot", snapshot: frame.start.snapshot, is_new_epoch });
    }
    effects.push({ kind: "live", relay_now: frame.now });
    return effects;
  }

  #deliver(now: number, frame: VisitorFrame & { type: "delivery" }): Effect[] {
    if (frame.after !== this.#position) {
      // A hole in what is held: only a fresh snapshot heals it. A second one in a row waits.
      const effects = this.#lose(now, true);
      this.#position = null;
      const must_wait = this.#is_second_hole;
      this.#is_second_hole = true;
      return must_wait ? effects : [...effects, ...this.#connect(now)];
    }
    this.#is_second_hole = false;
    this.#position = frame.upto;
    return frame.events.length === 0 ? [] : [{ kind: "events", events: frame.events }];
  }

  #bye(now: number, code: ErrorCode, wait: number | null): Effect[] {
    const effects = this.#lose(now, true, wait === null ? null : now + wait);
    if (code === "unauthenticated") {
      this.phase = "idle";
      this.#position = null;
      return [...effects, { kind: "enter" }];
    }
    if (code === "unsupported_version" || code === "site_disabled") {
      this.phase = "refused";
      this.refusal = code;
    }
    return effects;
  }
}

/** The longest wait after so many tries that failed. */
function backOff(tries: number): number {
  const late = tries - BACK_OFF_SOON_TRIES;
  if (late < 0) return Math.min(BACK_OFF_SOON_MAX_MS, BACK_OFF_MS * 2 ** Math.min(tries, 10));
  return Math.min(BACK_OFF_MAX_MS, BACK_OFF_SOON_MAX_MS * 2 ** Math.min(late, 10));
}
