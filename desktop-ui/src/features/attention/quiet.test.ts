// When it is quiet, across midnight too.

import { expect, it } from "vitest";
import { isQuiet } from "./quiet";

const at = (hour: number, minute = 0) => new Date(2026, 10, 22, hour, minute).getTime();
const night = { on: true, from_min: 22 * 60, to_min: 8 * 60 };
const noon = { on: true, from_min: 12 * 60, to_min: 13 * 60 };

it("is quiet from the first minute up to the last, across midnight", () => {
  const quiet = (hours: typeof night, moments: number[]) =>
    moments.map((now) => isQuiet(hours, now));
  expect(quiet(night, [at(21, 59), at(22), at(3), at(7, 59), at(8)])).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(quiet(noon, [at(11, 59), at(12), at(12, 59), at(13)])).toEqual([false, true, true, false]);
});

it("is never quiet when it is off, or when the two ends are one", () => {
  expect(isQuiet({ ...noon, on: false }, at(12, 30))).toBe(false);
  expect(isQuiet({ ...noon, to_min: noon.from_min }, at(12))).toBe(false);
});
