// Moving, and lengths of time in the unit they are said in.

import { describe, expect, it } from "vitest";
import { length, moved, secondsIn, unitFor } from "./lists";

describe("moving an entry", () => {
  it.each([
    [0, 2, "bca"],
    [2, 0, "cab"],
    [1, 1, "abc"],
    [0, 9, "bca"],
    [2, -1, "cab"],
    [7, 0, "abc"],
  ])("%d to %d", (from, to, result) => {
    expect(moved(["a", "b", "c"], from, to).join("")).toBe(result);
  });
});

describe("seconds", () => {
  it.each([
    [0, "s"],
    [45, "s"],
    [60, "min"],
    [90, "s"],
    [5_400, "min"],
    [7_200, "h"],
  ] as const)("%d are said in %s", (seconds, unit) => expect(unitFor(seconds)).toBe(unit));

  it("stay inside their bounds", () => {
    expect(secondsIn(3, "h", 10, 7_200)).toBe(7_200);
    expect(secondsIn(0, "min", 10, 7_200)).toBe(10);
    expect(secondsIn(1.5, "min", 10, 7_200)).toBe(90);
  });
});

describe("length", () => {
  it("counts characters, not code units", () => expect(length("迎客🌲")).toBe(3));
});
