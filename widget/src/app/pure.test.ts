// Tables for the small pure parts: masking, pacing, links, the send key, marks, languages, pages.

import { expect, test } from "vitest";
import { widget as en } from "../../../shared/i18n/en.json";
import { widget as zh } from "../../../shared/i18n/zh-CN.json";
import { conversationOf } from "../../testing/fixtures";
import { readToFrame, readToHost, seal } from "../host/messages";
import { cutToBytes, pageOf } from "../host/page";
import { steadyClock } from "./clock";
import { translator } from "./i18n";
import { pieces } from "./link_text";
import { firstLocale } from "./locale";
import { MarkPacer } from "./marks";
import { maskDigits, previewOf } from "./mask";
import { PreviewPacer } from "./preview";
import { PREVIEW_AGAIN_MS } from "./protocol";
import { type KeyPress, sends } from "./send_key";

test.each([
  ["", ""],
  ["123456", "123456"],
  ["1234567", "123456*"],
  ["我的手机13812345678谢谢", "我的手机138123*****谢谢"],
  ["6222 0212 3456 7890", "6222 02** **** ****"],
  ["138-1234-5678", "138-123*-****"],
  ["１２３４５６７８", "１２３４５６**"],
  ["１2３ 4５６7", "１2３ 4５６*"],
  ["٠١٢٣٤٥٦٧", "٠١٢٣٤٥**"],
  ["1–2—3－4 5 6 7", "1–2—3－4 5 6 *"],
  // Two separators, or another character, end a run.
  ["123456  789", "123456  789"],
  ["123456--789", "123456--789"],
  ["1234a5678", "1234a5678"],
  ["2026-11-22 08:30", "2026-11-** **:30"],
  ["1\u00a02\u30003\n4 5 6 7", "1\u00a02\u30003\n4 5 6 *"],
])("mask %j", (text, masked) => {
  expect(maskDigits(text)).toBe(masked);
});

test("a preview is the end of the draft, masked before it is cut", () => {
  const draft = `1234567890${"字".repeat(494)}`;
  expect(previewOf(draft)).toBe(`${"123456****".slice(-6)}${"字".repeat(494)}`);
  expect([...previewOf("𠮷".repeat(600))]).toHaveLength(500);
});

test("previews go at most five a second and always end with what was typed last", () => {
  const pacer = new PreviewPacer();
  const sent: [number, string][] = [];
  let draft = "";
  for (let now = 0; now <= 2_000; now += 7) {
    if (now < 1_000) {
      draft += "字";
      pacer.type(draft);
    }
    const text = pacer.take(now);
    if (text !== null) sent.push([now, text]);
  }
  expect(sent.at(-1)?.[1]).toBe(draft);
  for (let start = 0; start <= 1_000; start += 10) {
    const inside = sent.filter(([at]) => at >= start && at < start + 1_000);
    expect(inside.length).toBeLessThanOrEqual(5);
  }
  pacer.type("");
  expect(pacer.due_at()).not.toBeNull();
  expect(pacer.take(5_000)).toBe("");
  expect(pacer.due_at()).toBeNull();
  pacer.refuse();
  expect(pacer.take(5_199)).toBeNull();
  expect(pacer.take(5_200)).toBe("");
});

test("what is being typed is said again on a new link, and once more for an agent who is back later", () => {
  const pacer = new PreviewPacer();
  pacer.type("还有");
  pacer.linked(0);
  expect(pacer.take(0)).toBe("还有");
  expect(pacer.due_at()).toBe(PREVIEW_AGAIN_MS);
  pacer.forget();
  expect(pacer.take(10_000)).toBe("还有");
  pacer.linked(20_000);
  expect(pacer.take(20_000)).toBeNull();
  expect(pacer.take(20_000 + PREVIEW_AGAIN_MS)).toBe("还有");
  expect(pacer.due_at()).toBeNull();
  pacer.linked(30_000);
  pacer.type("");
  expect(pacer.take(40_000)).toBe("");
  expect(pacer.due_at()).toBeNull();
});

test.each([
  ["没有链接", []],
  ["看 https://a.example/x?y=1。", ["https://a.example/x?y=1"]],
  ["(https://a.example/b).", ["https://a.example/b"]],
  ["https://a.example/b_(c)", ["https://a.example/b_(c)"]],
  ["javascript:alert(1) data:text/html,x ftp://a.example", []],
  ["写给 mailto:ana@a.example 或 tel:+86-400-800", ["mailto:ana@a.example", "tel:+86-400-800"]],
  ["<a href='https://a.example'>x</a>", ["https://a.example/"]],
])("links in %j", (text, hrefs) => {
  const found = pieces(text);
  expect(found.map((piece) => piece.text).join("")).toBe(text);
  expect(found.flatMap((piece) => (piece.href === undefined ? [] : [piece.href]))).toEqual(hrefs);
});

const ENTER: KeyPress = {
  key: "Enter",
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  keyCode: 13,
  timeStamp: 1_000,
};

test.each<[string, Partial<KeyPress>, number | null, boolean]>([
  ["Enter", {}, null, true],
  ["Ctrl+Enter", { ctrlKey: true }, null, true],
  ["Shift+Enter", { shiftKey: true }, null, false],
  ["another key", { key: "a" }, null, false],
  ["Enter inside a composition", { isComposing: true }, null, false],
  ["Enter that an input method took", { keyCode: 229 }, null, false],
  ["Enter right after a composition (WebKit)", {}, 999, false],
  ["Enter well after a composition", {}, 700, true],
])("%s", (_, change, ended_at, expected) => {
  expect(sends({ ...ENTER, ...change }, ended_at)).toBe(expected);
});

test("marks are merged, told once a second, and told again on a new link", () => {
  const marks = new MarkPacer();
  const conversation = conversationOf("c1", { kind: "waiting", reason: "routing" }, 3);
  expect(marks.take(0, conversation)).toEqual({ conversation_id: "c1", delivered: 3, read: 0 });
  marks.view("c1", 3);
  expect(marks.take(999, conversation)).toBeNull();
  expect(marks.take(1_000, conversation)).toEqual({ conversation_id: "c1", delivered: 3, read: 3 });
  expect(marks.due_at(conversation)).toBeNull();
  marks.forget();
  expect(marks.take(1_001, conversation)).toBeNull();
  expect(marks.take(2_000, conversation)).toEqual({ conversation_id: "c1", delivered: 3, read: 3 });
  marks.forget();
  const told = { ...conversation, own_marks: { delivered: 3, read: 3 } };
  expect(marks.due_at(told)).toBeNull();
});

test("the time for waiting never steps back, and counts sleep", () => {
  const at = { steady: 50, device: 1_000_000 };
  const now = steadyClock(
    () => at.steady,
    () => at.device,
  );
  const pass = (steady: number, device: number) => {
    at.steady += steady;
    at.device += device;
    return now();
  };
  expect(pass(0, 0)).toBe(0);
  expect(pass(10, 11)).toBe(10);
  expect(pass(10, -3_600_000)).toBe(20);
  expect(pass(10, 28_800_000)).toBe(28_800_020);
});

test("the first language is the snippet's, then the browser's, else English", () => {
  expect(firstLocale([null, "fr", "zh-Hant-TW", "en"])).toBe("zh-CN");
  expect(firstLocale(["en-GB", "zh"])).toBe("en");
  expect(firstLocale(["fr", "de"])).toBe("en");
  expect(translator("zh-CN")("unread", { count: 3 })).toBe("3 条新消息");
});

test("both languages have the same texts with the same gaps", () => {
  expect(Object.keys(en)).toEqual(Object.keys(zh));
  const gaps = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [key, text] of Object.entries(zh)) {
    expect(gaps(en[key as keyof typeof en]), key).toEqual(gaps(text));
  }
});

test("a page's address is cut to whole characters within the limit", () => {
  const cut = cutToBytes(`https://a.example/${"页".repeat(1_000)}`, 2_048);
  expect(new TextEncoder().encode(cut).length).toBeLessThanOrEqual(2_048);
  expect(cut).not.toContain("\uFFFD");
  expect([...pageOf("x", "题".repeat(99)).title]).toHaveLength(64);
});

test("messages between the windows are read exactly or not at all", () => {
  expect(readToHost(seal({ type: "close" }))).toEqual({ type: "close" });
  const state = { type: "state", unread: 1, is_talking: true, locale: "en" } as const;
  expect(readToHost(seal(state))).toEqual(state);
  for (const bad of [
    null,
    "close",
    { type: "close" },
    { yingke: 2, type: "close" },
    { yingke: 1, type: "state", unread: "1", is_talking: true, locale: "en" },
    { yingke: 1, type: "ticket", ticket: "x".repeat(513) },
    { yingke: 1, type: "unknown" },
  ]) {
    expect(readToHost(bad)).toBeNull();
    expect(readToFrame(bad)).toBeNull();
  }
  const shown = {
    type: "shown",
    is_open: true,
    is_full_screen: false,
    page: { url: "u", title: "t" },
  } as const;
  expect(readToFrame(seal(shown))).toEqual(shown);
  expect(readToFrame({ ...(seal(shown) as object), page: { url: 1, title: "t" } })).toBeNull();
});
