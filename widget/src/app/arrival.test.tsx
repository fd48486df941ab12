// @vitest-environment jsdom
// The window before what is fetched later is there, when it comes, and when it does not; and what is
// drawn and read out as things arrive.

import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { conversationOf } from "../../testing/fixtures";
import {
  ANA,
  fetchLater,
  find,
  happen,
  messageOf,
  open,
  pass,
  press,
  SNAPSHOT,
  setUp,
  states,
  type,
  Wire,
  welcome,
} from "../../testing/window";
import * as later from "./later";
import { Part } from "./part";
import type { VisitorSnapshot } from "./protocol";

setUp();

const has = (testid: string) => document.querySelector(`[data-testid="${testid}"]`) !== null;
const click = (testid: string) => act(() => find(testid).click());
const agent = { author: { kind: "agent", agent: ANA } } as const;
const text = (words: string) => ({ content: { kind: "text", text: words } }) as const;

/** Nobody is there for Vera, who asked once. */
function unheard(): VisitorSnapshot {
  const conversation = conversationOf("c1", { kind: "waiting", reason: "nobody_online" }, 1);
  const asked = messageOf("c1", 1, { author: { kind: "me" }, ...text("在吗") });
  return { ...SNAPSHOT, conversation, messages: [asked] };
}

/** Comes when the test says so; fails until then. */
function late() {
  let is_there = false;
  const part = new Part(() =>
    is_there ? Promise.resolve(later) : Promise.reject(new TypeError("no network")),
  );
  const come = () => {
    is_there = true;
    return act(async () => {
      window.dispatchEvent(new Event("online"));
      await vi.advanceTimersByTimeAsync(0);
    });
  };
  fetchLater(part);
  return { part, come };
}

test("without what is fetched later one reads and writes; it takes its place when it comes", async () => {
  const { part, come } = late();
  await open();
  part.ask();
  await Wire.last.tell(welcome(unheard()));
  expect(find("message").textContent).toContain("在吗");
  expect([has("leave-form"), has("notice")]).toEqual([false, false]);
  await type("还在吗");
  await press({});
  expect(states()).toEqual(["sent", "sending"]);
  expect(Wire.last.of("send_message")).toHaveLength(1);
  await type("没说完");
  await click("menu");
  expect(find("menu-waits").textContent).toBe("正在加载…");
  await come();
  expect([has("menu-waits"), has("menu-sound"), has("leave-form")]).toEqual([false, true, true]);
  expect(find<HTMLTextAreaElement>("composer").value).toBe("没说完");
});

test("what does not come can be asked for with the whole page", async () => {
  const { part, come } = late();
  await open();
  part.ask();
  await Wire.last.tell(welcome());
  await click("menu");
  await pass(1_000);
  await pass(2_000);
  expect(find("menu-waits").textContent).toBe("再试一次");
  await come();
  expect([has("menu-waits"), has("menu-sound")]).toEqual([false, true]);
});

test("a key press draws no line of the stream anew", async () => {
  await open();
  const messages = [1, 2, 3].map((seq) =>
    messageOf("c1", seq, { ...agent, ...text(`第${seq}句`) }),
  );
  const conversation = conversationOf("c1", { kind: "serving", agent: ANA }, 3);
  await Wire.last.tell(welcome({ ...SNAPSHOT, conversation, messages }));
  const log = document.querySelector(".log");
  if (log === null) throw new Error("no log");
  const changed: MutationRecord[] = [];
  const watcher = new MutationObserver((records) => changed.push(...records));
  watcher.observe(log, { childList: true, subtree: true, attributes: true, characterData: true });
  const times = vi.spyOn(Date.prototype, "getHours");
  await type("你");
  await type("你好");
  expect([changed.length + watcher.takeRecords().length, times.mock.calls.length]).toEqual([0, 0]);
  await happen({
    type: "message_appended",
    message: messageOf("c1", 4, { ...agent, ...text("第四句") }),
  });
  expect(times.mock.calls.length).toBeGreaterThan(0);
  watcher.disconnect();
});

test("the past is not read out when it comes; what is said from then on is", async () => {
  await open();
  const log = () => document.querySelector(".log")?.getAttribute("aria-live");
  const messages = [1, 2].map((seq) => messageOf("c1", seq, { ...agent, ...text(`第${seq}句`) }));
  const conversation = conversationOf("c1", { kind: "serving", agent: ANA }, 2);
  await Wire.last.tell(welcome({ ...SNAPSHOT, conversation, messages, has_earlier: true }));
  expect(log()).toBe("off");
  await pass(500);
  expect(log()).toBe("polite");
  await click("earlier");
  expect(log()).toBe("off");
});

test("what did not work is no more said when things stand otherwise", async () => {
  await open();
  await Wire.last.tell(welcome(unheard()));
  const kinds = () =>
    [...document.querySelectorAll<HTMLElement>('[data-testid="notice"]')].map(
      ({ dataset }) => dataset.kind,
    );
  await click("menu");
  await click("menu-end");
  await click("menu-end");
  const [asked] = Wire.last.of("end_conversation");
  const error = { code: "busy" } as const;
  await Wire.last.tell({ type: "reply", id: asked?.id ?? "", error });
  expect(kinds()).toContain("trouble");
  const status = { kind: "serving", agent: ANA };
  await happen({ type: "status_changed", conversation_id: "c1", status });
  expect(kinds()).not.toContain("trouble");
});
