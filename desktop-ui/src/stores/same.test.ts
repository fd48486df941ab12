// What says the same is the same, and stays what it was.

import { expect, it } from "vitest";
import { kept, same } from "./same";

it("does not mind the order of fields, and minds everything else", () => {
  expect(same({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(same({ a: undefined }, { b: undefined })).toBe(false);
  expect(same([1, 2], [2, 1])).toBe(false);
  expect(same(null, {})).toBe(false);
});

it("keeps entries as they are that did not change, in the new order", () => {
  const before = [
    { id: "a", text: "hello" },
    { id: "b", text: "hello" },
  ];
  const after = kept(
    before,
    [
      { id: "b", text: "hello" },
      { id: "c", text: "new" },
      { id: "a", text: "changed" },
    ],
    ({ id }) => id,
  );
  expect(after.map(({ id }) => id)).toEqual(["b", "c", "a"]);
  expect(after[0]).toBe(before[1]);
  expect(after[2]).toEqual({ id: "a", text: "changed" });
});
