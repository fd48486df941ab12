// Differences and bars of a replay's report.

import { describe, expect, it } from "vitest";
import { clock } from "../../i18n/format";
import { changeOf, difference, heightOf, topOf } from "./replay";

describe("a replay's figures", () => {
  it("says by how much and whether that is better", () => {
    expect(difference(540_000, 480_000, clock)).toBe("−01:00");
    expect(difference(2, 5, String)).toBe("+3");
    expect(difference(4, 4, String)).toBe("");
    expect([changeOf(4, 2), changeOf(2, 4), changeOf(2, 2)]).toEqual(["better", "worse", "same"]);
  });

  it("draws bars to one measure; what is not nothing is seen", () => {
    const top = topOf([[0, 3], [60], [12, 1]]);
    expect(top).toBe(60);
    expect(heightOf(60, top, 120)).toBe(120);
    expect(heightOf(30, top, 120)).toBe(60);
    expect(heightOf(0, top, 120)).toBe(0);
    expect(heightOf(1, 10_000, 120)).toBe(1.5);
    expect(topOf([[], []])).toBe(1);
  });
});
