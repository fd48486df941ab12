// The list on the screen stays one list without a hole.

import { expect, test } from "vitest";
import type { VisitorMessage } from "./protocol";
import { append, EMPTY, prepend, rename, replaceTail } from "./timeline";

function messages(conversation_id: string, from: number, to: number): VisitorMessage[] {
  return Array.from({ length: to - from + 1 }, (_, at) => ({
    conversation_id,
    seq: from + at,
    client_id: `${conversation_id}-${from + at}`,
    author: { kind: "me" },
    content: { kind: "text", text: "x" },
    at: from + at,
  }));
}

/** The same, written by an agent of this name. */
function by(id: string, nickname: string, list: VisitorMessage[]): VisitorMessage[] {
  return list.map((message) => ({
    ...message,
    author: { kind: "agent", agent: { id, nickname } },
  }));
}

const names = (list: readonly VisitorMessage[]) =>
  list.map(({ author }) => (author.kind === "agent" ? author.agent.nickname : author.kind));

test("a name holds for every message of its agent, also for pages loaded before", () => {
  const ben = by("ben", "Ben", messages("c", 1, 1));
  const ana = by("ana", "Ana", messages("c", 2, 2));
  const held = { messages: [...ben, ...ana, ...messages("c", 3, 3)], has_earlier: false };
  const agent = { id: "ana", nickname: "安娜" };
  expect(names(rename(held, agent).messages)).toEqual(["Ben", "安娜", "me"]);
  expect(rename(held, { id: "cai", nickname: "Cai" })).toBe(held);
});

test("a page read before a name changed shows the name of now", () => {
  const page = { messages: by("ana", "Ana", messages("c", 1, 2)), has_earlier: false };
  const held = { messages: messages("c", 3, 3), has_earlier: true };
  const told = new Map([["ana", { id: "ana", nickname: "安娜" }]]);
  expect(names(prepend(held, page, told).messages)).toEqual(["安娜", "安娜", "me"]);
});

test("a snapshot names what is above it, or it stands alone", () => {
  const above = by("ana", "Ana", messages("c", 1, 2));
  const held = { messages: [...above, ...messages("c", 3, 4)], has_earlier: false };
  const ana = { messages: by("ana", "安娜", messages("c", 5, 5)), has_earlier: true };
  const fresh = { ...ana, messages: [...messages("c", 4, 4), ...ana.messages] };
  expect(names(replaceTail(held, fresh).messages)).toEqual(["安娜", "安娜", "me", "me", "安娜"]);
  const silent = { messages: messages("c", 4, 5), has_earlier: true };
  expect(replaceTail(held, silent)).toEqual(silent);
});

const seqs = (list: readonly VisitorMessage[]) => list.map((message) => message.seq);

test("a message that is held changes nothing", () => {
  const held = { messages: messages("c", 1, 3), has_earlier: false };
  expect(append(held, messages("c", 2, 2)[0] as VisitorMessage)).toBe(held);
  expect(seqs(append(held, messages("c", 4, 4)[0] as VisitorMessage).messages)).toEqual([
    1, 2, 3, 4,
  ]);
});

test("a snapshot that overlaps keeps what is above it", () => {
  const held = { messages: messages("c", 1, 6), has_earlier: false };
  const fresh = { messages: messages("c", 4, 9), has_earlier: true };
  const merged = replaceTail(held, fresh);
  expect(seqs(merged.messages)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(merged.has_earlier).toBe(false);
});

test("a snapshot beyond a gap stands alone", () => {
  const held = { messages: messages("c", 1, 3), has_earlier: false };
  const fresh = { messages: messages("c", 9, 12), has_earlier: true };
  expect(replaceTail(held, fresh)).toEqual(fresh);
});

test("a page of history goes above, without what is held", () => {
  const held = { messages: messages("c", 4, 5), has_earlier: true };
  const page = { messages: messages("c", 1, 4), has_earlier: false };
  expect(seqs(prepend(held, page).messages)).toEqual([1, 2, 3, 4, 5]);
  expect(prepend(EMPTY, page).has_earlier).toBe(false);
});
