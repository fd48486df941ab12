// Two people change the same section: what each of them changed stays, and the order does not jump.

import { describe, expect, it } from "vitest";
import { changesBetween, mergeChanges } from "./sections";

const one = (id: string, name = id) => ({ id, name });

describe("what changed", () => {
  it("names entries that came, went, changed, and another order", () => {
    const before = [one("a"), one("b"), one("c")];
    const after = [one("c"), one("a", "A"), one("d")];
    expect(changesBetween(before, after)).toEqual([
      { how: "changed", what: "a" },
      { how: "added", what: "d" },
      { how: "removed", what: "b" },
      { how: "moved", what: "" },
    ]);
  });

  it("names fields", () => {
    expect(changesBetween({ zone: "UTC", grace_s: 60 }, { zone: "UTC", grace_s: 90 })).toEqual([
      { how: "changed", what: "grace_s" },
    ]);
  });

  it("is nothing for equal values", () => {
    expect(changesBetween([one("a")], [one("a")])).toEqual([]);
  });
});

describe("my changes upon theirs", () => {
  const from = [one("a"), one("b"), one("c")];

  it("keeps entries that only one of us changed", () => {
    const mine = [one("a", "mine"), one("b"), one("c")];
    const theirs = [one("a"), one("b", "theirs"), one("c")];
    expect(mergeChanges(from, mine, theirs)).toEqual([
      one("a", "mine"),
      one("b", "theirs"),
      one("c"),
    ]);
  });

  it("lets mine stand where both changed", () => {
    expect(
      mergeChanges(from, [one("a", "mine")], [one("a", "theirs"), one("b"), one("c")]),
    ).toEqual([one("a", "mine")]);
  });

  it("keeps what they changed and I removed, and what I changed and they removed", () => {
    const mine = [one("b", "mine"), one("c")];
    const theirs = [one("a", "theirs"), one("c")];
    expect(mergeChanges(from, mine, theirs)).toEqual([
      one("a", "theirs"),
      one("b", "mine"),
      one("c"),
    ]);
  });

  it("puts new entries of both where they were put", () => {
    const mine = [one("a"), one("mine"), one("b"), one("c")];
    const theirs = [one("theirs"), one("a"), one("b"), one("c")];
    expect(mergeChanges(from, mine, theirs).map(({ id }) => id)).toEqual([
      "theirs",
      "a",
      "mine",
      "b",
      "c",
    ]);
  });

  it("keeps my order when I moved, theirs otherwise", () => {
    const turned = [one("c"), one("a"), one("b")];
    const renamed = [one("a", "A"), one("b"), one("c")];
    expect(mergeChanges(from, turned, renamed)).toEqual([one("c"), one("a", "A"), one("b")]);
    expect(mergeChanges(from, renamed, turned)).toEqual([one("c"), one("a", "A"), one("b")]);
  });

  it("merges fields, and maps that lost a key", () => {
    const base = { zone: "UTC", grace_s: 60, sites: { s1: "d1" } };
    const mine = { ...base, grace_s: 90 };
    const theirs = { ...base, zone: "Asia/Shanghai", sites: {} };
    expect(mergeChanges(base, mine, theirs)).toEqual({
      zone: "Asia/Shanghai",
      grace_s: 90,
      sites: {},
    });
  });
});
