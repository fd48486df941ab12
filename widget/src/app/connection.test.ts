// The link's machine, with the time and the frames written by hand.

import { expect, test } from "vitest";
import { SITE } from "../../testing/fixtures";
import { Connection, type Effect, type Input } from "./connection";
import type { VisitorFrame, VisitorSnapshot } from "./protocol";

const SNAPSHOT: VisitorSnapshot = {
  visitor: { id: "vera" },
  site: SITE,
  conversation: null,
  messages: [],
  has_earlier: false,
};

function frame(body: VisitorFrame): Input {
  return { kind: "frame", text: JSON.stringify(body) };
}

function welcome(position: number, epoch = "e1"): Input {
  const start = { mode: "snapshot", position, snapshot: SNAPSHOT } as const;
  return frame({ type: "welcome", version: 1, epoch, now: 5_000, start });
}

function delivery(after: number, upto: number): Input {
  return frame({ type: "delivery", after, upto, events: [] });
}

function kinds(effects: Effect[]): string[] {
  return effects.map((effect) => effect.kind);
}

function hello(effects: Effect[]): { token: string; resume: unknown } {
  const sent = effects.find((effect) => effect.kind === "send");
  return JSON.parse(sent?.kind === "send" ? sent.text : "{}").body;
}

function live(known_epoch: string | null = null): Connection {
  let count = 0;
  const link = new Connection(
    () => 0.5,
    () => {
      count += 1;
      return `id${count}`;
    },
    known_epoch,
  );
  expect(kinds(link.step(0, { kind: "start", token: "t" }))).toEqual(["open"]);
  expect(hello(link.step(10, { kind: "opened" }))).toMatchObject({ token: "t", resume: null });
  link.step(20, welcome(7));
  expect(link.phase).toBe("live");
  return link;
}

test("a lost link resumes at its position", () => {
  const link = live();
  expect(link.step(30, delivery(7, 9))).toEqual([]);
  expect(kinds(link.step(40, { kind: "closed" }))).toEqual(["lost"]);
  const due = link.due_at() ?? Number.NaN;
  expect(due).toBeLessThanOrEqual(40 + 500);
  expect(kinds(link.step(due, { kind: "tick" }))).toEqual(["open"]);
  const sent = hello(link.step(due, { kind: "opened" }));
  expect(sent.resume).toEqual({ epoch: "e1", position: 9 });
});

test("silence for twenty seconds is a dead link, an empty delivery is a sign of life", () => {
  const link = live();
  link.step(15_000, delivery(7, 7));
  expect(link.step(30_000, { kind: "tick" })).toEqual([]);
  expect(kinds(link.step(35_000, { kind: "tick" }))).toEqual(["close", "lost"]);
});

test("a hole asks for a fresh snapshot, once; the second in a row waits", () => {
  const link = live();
  expect(kinds(link.step(30, delivery(8, 9)))).toEqual(["close", "lost", "open"]);
  expect(hello(link.step(31, { kind: "opened" })).resume).toBeNull();
  link.step(32, welcome(20));
  expect(kinds(link.step(33, delivery(99, 100)))).toEqual(["close", "lost"]);
  expect(link.phase).toBe("waiting");
});

test("tries are further and further apart, within a bound", () => {
  const link = live();
  let now = 100;
  const waits: number[] = [];
  link.step(now, { kind: "closed" });
  for (let round = 0; round < 60; round += 1) {
    const due = link.due_at() ?? Number.NaN;
    waits.push(due - now);
    now = due;
    link.step(now, { kind: "tick" });
    link.step(now, { kind: "closed" });
  }
  // A link that is back after a short outage is found within a second.
  expect(Math.max(...waits.slice(0, 50))).toBeLessThanOrEqual(750);
  expect(waits.at(-1)).toBe(15_000);
  expect([...waits].sort((a, b) => a - b)).toEqual(waits);
});

test("the network's return is tried at once, but not against the relay's own wish", () => {
  const link = live();
  link.step(100, { kind: "closed" });
  expect(kinds(link.step(101, { kind: "hurry" }))).toEqual(["open"]);
  link.step(102, { kind: "opened" });
  link.step(103, welcome(7));
  link.step(104, frame({ type: "bye", error: { code: "unavailable", retry_after_ms: 4_000 } }));
  expect(link.step(200, { kind: "hurry" })).toEqual([]);
  expect(link.due_at()).toBe(4_104);
});

test("the relay's wish holds once; if it stays away, it is tried as after any break", () => {
  const link = live();
  link.step(104, frame({ type: "bye", error: { code: "unavailable", retry_after_ms: 4_000 } }));
  let now = 4_104;
  for (const wait of [375, 375, 375]) {
    expect(kinds(link.step(now, { kind: "tick" }))).toEqual(["open"]);
    expect(kinds(link.step(now + 1, { kind: "closed" }))).toEqual(["lost"]);
    expect(link.due_at()).toBe(now + 1 + wait);
    now += 1 + wait;
  }
});

test("a page looked at after a sleep does not wait for the silence to end", () => {
  const link = live();
  expect(link.step(10_000, { kind: "hurry" })).toEqual([]);
  expect(kinds(link.step(28_000, { kind: "hurry" }))).toEqual(["close", "lost", "open"]);
});

test("a refused token asks to enter again, a refused version stops", () => {
  const link = live();
  const refused = link.step(30, frame({ type: "bye", error: { code: "unauthenticated" } }));
  expect(kinds(refused)).toEqual(["close", "lost", "enter"]);
  expect(link.due_at()).toBeNull();
  expect(kinds(link.step(40, { kind: "start", token: "t2" }))).toEqual(["open"]);
  expect(hello(link.step(41, { kind: "opened" }))).toMatchObject({ token: "t2", resume: null });
  link.step(42, frame({ type: "bye", error: { code: "unsupported_version" } }));
  expect(link.phase).toBe("refused");
  expect(link.due_at()).toBeNull();
});

test("another epoch is noticed, also one known from an earlier page", () => {
  const link = live("e0");
  expect(link.epoch).toBe("e1");
  link.step(100, { kind: "closed" });
  link.step(600, { kind: "tick" });
  link.step(601, { kind: "opened" });
  const effects = link.step(602, welcome(3, "e2"));
  expect(effects[0]).toMatchObject({ kind: "snapshot", is_new_epoch: true });
});

test("frames that are not ours are ignored", () => {
  const link = live();
  expect(link.step(30, { kind: "frame", text: "nonsense" })).toEqual([]);
  expect(link.step(30, { kind: "frame", text: '{"type":"party"}' })).toEqual([]);
  expect(link.phase).toBe("live");
});
