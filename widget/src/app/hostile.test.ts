// P20 in the widget: a relay that says anything, a page that posts anything, a storage that holds
// anything. Inputs are the corpus of the end-to-end tests and the golden samples, as they stand and
// bent; the same seed gives the same inputs. Nothing may throw, and what is shown afterwards can be
// drawn. `YINGKE_HOSTILE_INPUTS` asks for more than the 60,000 of each run.
//
// Made to fail: without the checks of frames.ts the corpus alone throws (a delivery without events,
// a welcome without a start, a bye without an error).

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readToFrame, readToHost } from "../host/messages";
import { apply } from "./apply";
import { isAsked } from "./asks";
import type { ChatState } from "./client";
import { Connection, type Effect } from "./connection";
import { translator } from "./i18n";
import { isLeaving, unanswered } from "./leaving";
import { linesOf } from "./lines";
import { pieces } from "./link_text";
import { maskDigits } from "./mask";
import { noticeWords } from "./notice";
import type { VisitorSnapshot } from "./protocol";
import { readItem } from "./storage";
import * as timeline from "./timeline";

const t = translator("zh-CN");
const INPUTS = Number(process.env.YINGKE_HOSTILE_INPUTS ?? 60_000);
const SEED = Number(process.env.YINGKE_SEED ?? 20);
const CORPUS = new URL("../../../tests/corpus/visitor_frames/", import.meta.url);
const SAMPLES = new URL("../../../shared/samples/frames_visitor.json", import.meta.url);

const samples = JSON.parse(readFileSync(SAMPLES, "utf8")) as unknown[];
const corpus = readdirSync(CORPUS).flatMap((name) => {
  const text = readFileSync(new URL(name, CORPUS), "utf8");
  return name.endsWith(".jsonl") ? text.split("\n").filter((line) => line !== "") : [text];
});

/** What the samples do not say: the line, members, and every line of the system. */
const AGENT = { id: "ana", nickname: "Ana" };
const NOTICES = [
  { kind: "transferred", agent: AGENT },
  { kind: "member_joined", agent: AGENT },
  { kind: "member_left", agent: AGENT },
  { kind: "requeued", why: "no_answer" },
  { kind: "auto_reply", reply: "ask_visitor", text: "" },
  { kind: "ended", by: "agent_away" },
];
const spoken = NOTICES.map((notice, at) => ({
  position: 50 + at,
  type: "message_appended",
  message: {
    ...{ conversation_id: "c1", seq: 6 + at, client_id: `n${at}`, author: { kind: "system" } },
    ...{ content: { kind: "notice", notice }, at: 1_800_000_000_000 },
  },
}));
const status = { kind: "ended", by: "leave_message", at: 1_800_000_000_000 };
const further: unknown[] = [
  {
    type: "signal",
    signal: { kind: "place", conversation_id: "c1", place: 3, expected_wait_ms: 9_000 },
  },
  {
    type: "delivery",
    after: 41,
    upto: 70,
    events: [
      { position: 49, type: "members_changed", conversation_id: "c1", members: [AGENT] },
      ...spoken,
      { position: 60, type: "status_changed", conversation_id: "c1", status },
    ],
  },
];
const seeds = [...corpus, ...[...samples, ...further].map((frame) => JSON.stringify(frame))];

/** SplitMix32: numbers in [0, end). */
function chance(seed: number): (end: number) => number {
  let state = seed >>> 0;
  return (end) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % end;
  };
}

const ATOMS: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  "",
  "\0",
  "\ud800",
  "__proto__",
  "constructor",
  "ended",
  "text",
  "agent",
  [],
  {},
  [null],
  { kind: "toString" },
  "茶".repeat(4_001),
];

type Draw = (end: number) => number;

function bend(value: unknown, draw: Draw): unknown {
  if (draw(3) === 0) return ATOMS[draw(ATOMS.length)];
  if (Array.isArray(value)) {
    if (value.length === 0) return [ATOMS[draw(ATOMS.length)]];
    const at = draw(value.length);
    const copy: unknown[] = [...value];
    const way = draw(8);
    if (way < 2) copy.splice(at, 1);
    else if (way === 2) copy.push(...Array<unknown>(60).fill(copy[at]));
    else copy[at] = bend(copy[at], draw);
    return copy;
  }
  if (typeof value !== "object" || value === null) return ATOMS[draw(ATOMS.length)];
  const fields = Object.entries(value);
  if (fields.length === 0) return { [String(ATOMS[draw(ATOMS.length)])]: 1 };
  const at = draw(fields.length);
  const [name, inside] = fields[at] ?? ["", null];
  if (draw(6) === 0) fields.splice(at, 1);
  else fields[at] = [name, bend(inside, draw)];
  return Object.fromEntries(fields);
}

function bent(text: string, draw: Draw): string {
  try {
    let value: unknown = JSON.parse(text);
    for (let times = 1 + draw(3); times > 0; times -= 1) value = bend(value, draw);
    return JSON.stringify(value);
  } catch {
    const at = draw(text.length + 1);
    return text.slice(0, at) + String(ATOMS[draw(ATOMS.length)]) + text.slice(at + draw(9));
  }
}

/** What a client does with the effects, as client.ts does it. */
class Held {
  held: VisitorSnapshot | null = null;
  shown = timeline.EMPTY;

  take(effects: Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "snapshot") {
        const { messages, has_earlier } = effect.snapshot;
        this.held = effect.snapshot;
        this.shown = timeline.replaceTail(this.shown, { messages, has_earlier });
      } else if (effect.kind === "events" && this.held !== null) {
        for (const event of effect.events) {
          this.held = apply(this.held, event);
          if (event.type === "agent_changed") this.shown = timeline.rename(this.shown, event.agent);
          if (event.type === "message_appended") {
            this.shown = timeline.append(this.shown, event.message);
          }
        }
      } else if (effect.kind === "reply" && effect.reply.ok?.kind === "history") {
        this.shown = timeline.prepend(this.shown, effect.reply.ok.page);
      }
    }
    this.draw();
  }

  /** What the drawing asks of it. */
  draw(): void {
    const state = { held: this.held, timeline: this.shown, outbox: [], place: null } as unknown;
    isLeaving(state as ChatState, null);
    unanswered(state as ChatState);
    isAsked(this.held, []);
    for (const line of linesOf(state as ChatState)) {
      if (line.kind !== "message") continue;
      const { content } = line.message;
      if (content.kind === "text") pieces(content.text);
      if (content.kind !== "notice" || content.notice.kind === "welcome") continue;
      const words = noticeWords(content.notice, line.agent, this.held?.site.prompts, t);
      if (words !== null) pieces(words);
    }
  }
}

/** A link that is live at the position of the samples. */
function live(): Connection {
  const link = new Connection(
    () => 0.5,
    () => "id",
  );
  link.step(0, { kind: "start", token: "t" });
  link.step(1, { kind: "opened" });
  return link;
}

test("p20 whatever the relay says, nothing throws", () => {
  let taken = 0;
  let link = live();
  let held = new Held();
  for (let number = 0; number < INPUTS; number += 1) {
    if (number % 40 === 0) {
      link = live();
      held = new Held();
    }
    const draw = chance(SEED * 1_000_003 + number);
    const seed = seeds[number < seeds.length ? number : draw(seeds.length)] ?? "";
    const text = number < seeds.length ? seed : bent(seed, draw);
    try {
      const effects = link.step(number, { kind: "frame", text });
      held.take(effects);
      if (effects.length > 0) taken += 1;
      if (link.phase !== "live" && draw(3) === 0) {
        held.take(link.step(number, { kind: "start", token: "t" }));
        held.take(link.step(number, { kind: "opened" }));
      }
    } catch (error) {
      throw new Error(`input ${number} of YINGKE_SEED=${SEED}: ${text}`, { cause: error });
    }
  }
  // Refusing everything would be no proof.
  expect(taken).toBeGreaterThan(INPUTS / 100);
});

test("p20 whatever a page posts or a storage holds, nothing throws", () => {
  const posted = { yingke: 1, type: "init", page: { url: "https://a/", title: "" }, locale: "en" };
  const leave = { name: "Vera", contact: "139" };
  const asks = { category: "售后", department_id: null, agent_id: null };
  const state = { kind: "queued" };
  const kept = { client_id: "k1", text: "您好", at: 1, order: 1, state, leave, asks };
  for (let number = 0; number < INPUTS / 4; number += 1) {
    const draw = chance(SEED * 7_919 + number);
    const value = bend(posted, draw);
    readToFrame(value);
    readToHost(value);
    const text = bent(JSON.stringify(kept), draw);
    const item = readItem(text);
    if (item?.leave) expect(typeof item.leave.contact).toBe("string");
    maskDigits(text);
    pieces(text);
  }
});
