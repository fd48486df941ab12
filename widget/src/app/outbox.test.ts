// The outbox: its rules one by one, then random scripts of two tabs, a relay that loses answers,
// reloads and cuts, against the law: acknowledged means stored once, in order; nothing is lost.

import { expect, test } from "vitest";
import { NO_ASKS, Outbox, type OutboxItem, type OutboxStorage, UNSENT_MAX } from "./outbox";
import type { Reply } from "./protocol";

const CONTEXT = { page: { url: "", title: "" }, locale: "zh-CN", visitor: null };
const DAY = 24 * 60 * 60 * 1000;
const ALL = () => true;
const VERA = "vera";

/** A disk that two tabs share; `onChange` is what the browser's storage event would tell. */
class Disk {
  readonly entries = new Map<string, string>();
  items(): OutboxItem[] {
    return [...this.entries.values()].map((text) => JSON.parse(text) as OutboxItem);
  }
  door(onChange: (id: string, item: OutboxItem | null) => void = () => {}): OutboxStorage {
    return {
      save: (item) => {
        const kept = item.state.kind === "sending" ? { ...item, state: { kind: "queued" } } : item;
        this.entries.set(item.client_id, JSON.stringify(kept));
        onChange(item.client_id, JSON.parse(JSON.stringify(kept)) as OutboxItem);
        return true;
      },
      drop: (id) => {
        this.entries.delete(id);
        onChange(id, null);
      },
    };
  }
}

function accepted(id: string, seq = 1): Reply {
  return { id, ok: { kind: "accepted", conversation_id: "c1", seq, at: 1 } };
}

function kinds(outbox: Outbox): string[] {
  return outbox.items.map((item) => item.state.kind);
}

test("messages go one at a time, in the order they were written", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 5);
  outbox.write("b", "2", CONTEXT, 5);
  expect(outbox.take(5, VERA, ALL)?.client_id).toBe("a");
  expect(outbox.take(5, VERA, ALL)).toBeNull();
  outbox.answer(accepted("a"), 6);
  expect(outbox.take(6, VERA, ALL)?.client_id).toBe("b");
});

test("what could not be written down is known to other tabs before what was written later", () => {
  const told: string[] = [];
  const door = new Disk().door((id) => told.push(id));
  let is_full = true;
  const outbox = new Outbox({ ...door, save: (item) => !is_full && door.save(item) }, "tab");
  outbox.write("a", "1", CONTEXT, 0);
  outbox.write("b", "2", CONTEXT, 0);
  is_full = false;
  outbox.write("c", "3", CONTEXT, 0);
  expect(told).toEqual(["a", "b", "c"]);
});

test("a message goes as one visitor, and what another wrote asks first", () => {
  const disk = new Disk();
  const hers = new Outbox(disk.door(), "tab");
  hers.write("a", "1", { ...CONTEXT, visitor: VERA }, 0);
  hers.write("b", "2", CONTEXT, 0);
  expect(hers.take(0, VERA, ALL)?.visitor).toBe(VERA);
  // The same device knew no token: whoever came is somebody else.
  const his = new Outbox(disk.door(), "tab2");
  his.load(disk.items(), 1);
  const isHis = (item: OutboxItem) => item.visitor === null || item.visitor === "viktor";
  expect(his.take(1, "viktor", isHis)).toMatchObject({ client_id: "b", visitor: "viktor" });
  const isHers = (item: OutboxItem) => !isHis(item);
  his.strand(isHers, 4_000, 5_000);
  expect(kinds(his)).toEqual(["queued", "sending"]);
  his.strand(isHers, 5_001, 5_000);
  expect(kinds(his)).toEqual(["wedged", "sending"]);
  his.answer(accepted("b"), 5_002);
  his.retry("a", "fresh", "viktor", 5_003);
  expect(his.take(5_003, "viktor", isHis)).toMatchObject({ client_id: "a", visitor: "viktor" });
});

test("a tab that becomes somebody else takes along what it certainly never sent", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  for (const id of ["a", "b"]) outbox.write(id, id, { ...CONTEXT, visitor: VERA }, 0);
  outbox.take(0, VERA, ALL);
  outbox.link_lost();
  outbox.become(VERA, "viktor");
  expect(outbox.items.map((item) => item.visitor)).toEqual([VERA, "viktor"]);
});

test("a clock that steps back changes no order, on another page neither", () => {
  const disk = new Disk();
  const before = new Outbox(disk.door(), "tab");
  before.write("a", "1", CONTEXT, 9_000);
  before.write("b", "2", CONTEXT, 5_000);
  const after = new Outbox(disk.door(), "tab2");
  after.load(disk.items().reverse(), 4_000);
  after.write("c", "3", CONTEXT, 1_000);
  for (const outbox of [before, after]) {
    const item = after.find("c");
    if (outbox === before && item) outbox.observe("c", item);
    expect(outbox.items.map(({ client_id }) => client_id)).toEqual(["a", "b", "c"]);
  }
});

test("what is sent again by hand stands behind what was written since", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "字".repeat(4_001), CONTEXT, 0);
  outbox.write("b", "2", CONTEXT, 0);
  outbox.retry("a", "fresh", VERA, 0);
  expect(outbox.items.map(({ client_id }) => client_id)).toEqual(["b", "a"]);
});

test("what was refused for want of a category goes, unchanged, with the one that is picked", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 0);
  outbox.take(0, VERA, ALL);
  outbox.answer({ id: "a", error: { code: "category_needed" } }, 1);
  expect(outbox.find("a")?.state).toEqual({ kind: "failed", code: "category_needed" });
  expect(outbox.take(1, VERA, ALL)).toBeNull();
  const asks = { ...NO_ASKS, category: "售前" };
  outbox.ask(asks, ALL);
  expect(outbox.take(1, VERA, ALL)).toMatchObject({ client_id: "a", text: "1", asks });
});

test("a lost link sends again under the same id", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 0);
  outbox.take(0, VERA, ALL);
  outbox.link_lost();
  expect(kinds(outbox)).toEqual(["queued"]);
  expect(outbox.take(1, VERA, ALL)?.client_id).toBe("a");
});

test("a failure of the relay waits and keeps the id, a refusal stops and keeps the text", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 0);
  outbox.write("b", "2", CONTEXT, 0);
  outbox.take(0, VERA, ALL);
  outbox.answer({ id: "a", error: { code: "too_fast", retry_after_ms: 700 } }, 100);
  expect(outbox.take(799, VERA, ALL)).toBeNull();
  expect(outbox.take(800, VERA, ALL)?.client_id).toBe("a");
  outbox.answer({ id: "a", error: { code: "too_large" } }, 900);
  expect(kinds(outbox)).toEqual(["failed", "queued"]);
  expect(outbox.take(900, VERA, ALL)?.client_id).toBe("b");
  expect(outbox.discard("a")).toBe("1");
});

test("a clock that was set back holds no message, and a pause is never longer than a minute", () => {
  const hour = 3_600_000;
  const disk = new Disk();
  const outbox = new Outbox(disk.door(), "tab");
  outbox.write("a", "1", CONTEXT, 5 * hour);
  outbox.take(5 * hour, VERA, ALL);
  outbox.answer({ id: "a", error: { code: "busy" } }, 5 * hour);
  expect(outbox.take(5 * hour, VERA, ALL)).toBeNull();
  const reloaded = new Outbox(disk.door(), "tab2");
  reloaded.load(disk.items(), 2 * hour);
  for (const held of [outbox, reloaded]) {
    expect(held.wait(2 * hour, ALL)).toBe(0);
    expect(held.take(2 * hour, VERA, ALL)?.client_id).toBe("a");
  }
  outbox.answer({ id: "a", error: { code: "busy", retry_after_ms: 5 * hour } }, 2 * hour);
  expect(outbox.wait(2 * hour, ALL)).toBe(60_000);
  expect(outbox.take(2 * hour + 60_000, VERA, ALL)?.client_id).toBe("a");
});

test("too long a text is kept and marked, and never leaves", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "字".repeat(4_001), CONTEXT, 0);
  expect(kinds(outbox)).toEqual(["failed"]);
  expect(outbox.take(0, VERA, ALL)).toBeNull();
});

test("an id that was used for something else is replaced on retry", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 0);
  outbox.take(0, VERA, ALL);
  outbox.answer({ id: "a", error: { code: "id_reused" } }, 1);
  outbox.retry("a", "fresh", VERA, 2);
  expect(outbox.take(2, VERA, ALL)?.client_id).toBe("fresh");
});

test("what waited for days asks instead of going", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 0);
  expect(outbox.take(6 * DAY + 1, VERA, ALL)).toBeNull();
  expect(kinds(outbox)).toEqual(["wedged"]);
  outbox.retry("a", "x", VERA, 7 * DAY);
  expect(outbox.take(7 * DAY, VERA, ALL)?.client_id).toBe("a");
});

test("what may have reached the relay cannot be deleted", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  outbox.write("a", "1", CONTEXT, 0);
  outbox.take(0, VERA, ALL);
  expect(outbox.discard("a")).toBeNull();
  outbox.link_lost();
  expect(outbox.discard("a")).toBeNull();
  outbox.write("b", "2", CONTEXT, 0);
  expect(outbox.discard("b")).toBe("2");
});

test("a reload queues what was in flight and keeps the order", () => {
  const disk = new Disk();
  const before = new Outbox(disk.door(), "tab");
  before.write("a", "1", CONTEXT, 0);
  before.write("b", "2", CONTEXT, 0);
  before.take(0, VERA, ALL);
  const after = new Outbox(disk.door(), "tab2");
  after.load(disk.items().reverse(), 10);
  expect(after.take(10, VERA, ALL)?.client_id).toBe("a");
});

test("replaced history offers again what was acknowledged in the last day", () => {
  const disk = new Disk();
  const outbox = new Outbox(disk.door(), "tab");
  for (const [id, at] of [
    ["old", 0],
    ["new", 2 * DAY],
  ] as const) {
    outbox.write(id, id, CONTEXT, at);
    outbox.take(at, VERA, ALL);
    outbox.answer(accepted(id), at);
    outbox.arrive(id, at);
  }
  outbox.reoffer(2 * DAY + 5);
  expect(outbox.take(2 * DAY + 5, VERA, ALL)?.client_id).toBe("new");
  expect(outbox.take(2 * DAY + 5, VERA, ALL)).toBeNull();
});

test("an outbox has a limit", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  for (let count = 0; count < UNSENT_MAX; count += 1) outbox.write(`m${count}`, "x", CONTEXT, 0);
  expect(outbox.has_room()).toBe(false);
});

/** A relay that stores an id once, whatever it comes as, and remembers nothing that it refused. */
class Relay {
  readonly #stored = new Map<string, string>();
  get texts(): string[] {
    return [...this.#stored.values()].sort();
  }
  has(id: string): boolean {
    return this.#stored.has(id);
  }
  take({ client_id, text, leave }: OutboxItem, is_serving: boolean): Reply {
    const is_late = leave !== null && is_serving && !this.has(client_id);
    if (is_late) return { id: client_id, error: { code: "overtaken" } };
    this.#stored.set(client_id, text);
    return accepted(client_id, this.#stored.size);
  }
}

/** A small generator with a seed, so that a failure can be replayed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

test("a leave-message that an agent overtook is a message under the same id", () => {
  const disk = new Disk();
  const outbox = new Outbox(disk.door(), "tab");
  const leave = { name: "Vera", contact: "139" };
  outbox.write("a", "1", { ...CONTEXT, leave }, 0);
  outbox.write("b", "2", CONTEXT, 0);
  expect(outbox.take(0, VERA, ALL)).toMatchObject({ client_id: "a", leave });
  const before = outbox.items.find((item) => item.client_id === "a");
  outbox.answer({ id: "a", error: { code: "overtaken" } }, 1);
  expect(outbox.items.map((item) => [item.client_id, item.leave])).toEqual([
    ["a", null],
    ["b", null],
  ]);
  expect(outbox.take(1, VERA, ALL)).toMatchObject({ client_id: "a", text: "1", leave: null });
  // An earlier version went between the refusal and the turn.
  if (before === undefined) throw new Error("it was not there");
  const refused: OutboxItem = { ...before, state: { kind: "failed", code: "overtaken" } };
  const later = new Outbox(new Disk().door(), "tab2");
  later.load([refused], 2);
  expect(later.take(2, VERA, ALL)).toMatchObject({ client_id: "a", text: "1", leave: null });
});

test("two tabs that cannot agree leave one message, also if an agent comes and goes between", () => {
  // Tab A is told that an agent has it; by the time tab B is heard the agent is gone again.
  const relay = new Relay();
  const [tab_a, tab_b] = [new Outbox(new Disk().door(), "a"), new Outbox(new Disk().door(), "b")];
  tab_a.write("l", "请回电", { ...CONTEXT, leave: { name: "", contact: "139" } }, 0);
  tab_b.load(tab_a.items, 0);
  const [left_a, left_b] = [tab_a.take(0, VERA, ALL), tab_b.take(0, VERA, ALL)];
  if (left_a === null || left_b === null) throw new Error("nothing to send");
  tab_a.answer(relay.take(left_a, true), 1);
  tab_b.answer(relay.take(left_b, false), 1);
  const said = tab_a.take(2, VERA, ALL);
  if (said === null) throw new Error("nothing to say");
  tab_a.answer(relay.take(said, true), 2);
  expect(relay.texts).toEqual(["请回电"]);
});

test("what is picked holds for what was never sent", () => {
  const outbox = new Outbox(new Disk().door(), "tab");
  for (const id of ["a", "b"]) outbox.write(id, id, CONTEXT, 0);
  outbox.write("c", "c", { ...CONTEXT, leave: { name: "", contact: "" } }, 0);
  outbox.take(0, VERA, ALL);
  outbox.ask({ ...NO_ASKS, category: "售后" }, ALL);
  expect(outbox.items.map((item) => item.asks.category)).toEqual(["", "售后", ""]);
});

test("random scripts: two tabs, lost answers, reloads, cuts", () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const next = random(seed);
    const disk = new Disk();
    const relay = new Relay();
    const tabs: Outbox[] = [];
    const open = (at: number) => {
      const others = (id: string, item: OutboxItem | null) => {
        tabs.forEach((tab, index) => {
          if (index !== at) tab.observe(id, item);
        });
      };
      const outbox = new Outbox(disk.door(others), `tab${at}-${now}`);
      outbox.load(disk.items(), now);
      tabs[at] = outbox;
    };
    let now = 1;
    const written: string[] = [];
    const deleted: string[] = [];
    let is_serving = false;
    open(0);
    open(1);
    const send = (tab: Outbox, luck: number) => {
      const item = tab.take(now, VERA, ALL);
      if (item === null || luck < 0.2) return;
      const reply = relay.take(item, is_serving);
      if (luck < 0.4) tab.link_lost();
      else if (luck < 0.6 && relay.has(item.client_id)) tab.arrive(item.client_id, now);
      else tab.answer(reply, now);
    };
    for (let step = 0; step < 60; step += 1) {
      now += 1 + Math.floor(next() * 50);
      const at = next() < 0.5 ? 0 : 1;
      const tab = tabs[at];
      if (tab === undefined) throw new Error("a tab is missing");
      const dice = next();
      if (dice < 0.3) {
        const id = `m${seed}-${step}`;
        const leave = dice < 0.1 ? { name: "", contact: "139" } : undefined;
        tab.write(id, id, { ...CONTEXT, leave }, now);
        written.push(id);
        is_serving = next() < 0.5;
      } else if (dice < 0.7) send(tab, next());
      else if (dice < 0.8) tab.link_lost();
      else if (dice < 0.9) open(at);
      else {
        const last = tab.items.at(-1);
        if (last && tab.discard(last.client_id) !== null) deleted.push(last.text);
      }
    }
    for (const tab of tabs) tab.link_lost();
    for (let round = 0; round < 200; round += 1) {
      now += 40_000;
      for (const tab of tabs) send(tab, 1);
    }
    const wanted = written.filter((id) => !deleted.includes(id));
    expect(relay.texts, `seed ${seed}`).toEqual([...wanted].sort());
    for (const tab of tabs) {
      expect(
        tab.items.filter((item) => item.state.kind !== "sent").map((item) => item.text),
      ).toEqual([]);
    }
  }
});
