// The list on the screen stays one list without a hole.

import { expect, test } from "vitest";
import type { VisitorMessage } from "./protocol";
import { append, EMPTY, prepend, replaceTail } from "./timeline";

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
