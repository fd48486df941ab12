// Times read as people say them, in both languages.

import { describe, expect, it } from "vitest";
import { clock, dayName, rowTime } from "./format";

const day = (month: number, date: number, hour = 12) =>
  new Date(2026, month - 1, date, hour).getTime();
const now = day(11, 22);

describe("clock", () => {
  it.each([
    [-5_000, "00:00"],
    [999, "00:00"],
    [41_900, "00:41"],
    [206_000, "03:26"],
    [3_599_999, "59:59"],
    [3_723_000, "1:02:03"],
  ])("%d ms is %s", (ms, text) => expect(clock(ms)).toBe(text));
});

describe("dayName", () => {
  it.each([
    [day(11, 22, 0), "今天", "Today"],
    [day(11, 21, 23), "昨天", "Yesterday"],
    [day(11, 18), "星期三", "Wednesday"],
    [day(11, 10), "11月10日", "November 10"],
  ])("%d", (at, zh, en) => {
    expect(dayName("zh-CN", at, now)).toBe(zh);
    expect(dayName("en", at, now)).toBe(en);
  });

  it("names the year when it is another", () => {
    expect(dayName("en", new Date(2025, 4, 1).getTime(), now)).toBe("May 1, 2025");
  });
});

describe("rowTime", () => {
  it("is a time today and a day before", () => {
    expect(rowTime("zh-CN", day(11, 22, 9), now)).toBe("09:00");
    expect(rowTime("zh-CN", day(11, 21, 9), now)).toBe("昨天");
    expect(rowTime("zh-CN", day(11, 1, 9), now)).toBe("11/1");
  });
});
