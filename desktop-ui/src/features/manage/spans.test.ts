// Times of a day as they are typed, and what a week may look like.

import { describe, expect, it } from "vitest";
import { parseTime, timeText } from "../../i18n/format";
import { isDate, nextSpan, spansProblem, specialProblem, weekRuns } from "./spans";

describe("a time", () => {
  it.each([
    ["9", 540],
    ["09:30", 570],
    ["0930", 570],
    ["9：05", 545],
    [" 24:00 ", 1_440],
    ["0:00", 0],
    ["24:01", null],
    ["9:60", null],
    ["", null],
    ["noon", null],
    ["-1", null],
  ])("%j is %j", (typed, minutes) => expect(parseTime(typed)).toBe(minutes));

  it("is written so that it is read again", () => {
    for (const minutes of [0, 5, 540, 1_439, 1_440]) {
      expect(parseTime(timeText(minutes))).toBe(minutes);
    }
  });
});

describe("the spans of a day", () => {
  const span = (from: number, to: number) => ({ from, to });
  it("may touch, not overlap or run backwards", () => {
    expect(spansProblem([])).toBeNull();
    expect(spansProblem([span(780, 1_080), span(540, 780)])).toBeNull();
    expect(spansProblem([span(540, 800), span(780, 1_080)])).toBe("manage.spans_overlap");
    expect(spansProblem([span(540, 540)])).toBe("manage.span_backwards");
    const seven = Array.from({ length: 7 }, (_, at) => span(at * 60, at * 60 + 30));
    expect(spansProblem(seven)).toBe("manage.spans_many");
  });

  it("get another one behind them that is good", () => {
    const first = nextSpan([]);
    const second = nextSpan([first]);
    expect(spansProblem([first, second])).toBeNull();
  });
});

describe("special days", () => {
  it("are days of the calendar, each once", () => {
    expect(isDate("2026-02-29")).toBe(false);
    expect(isDate("2028-02-29")).toBe(true);
    expect(isDate("2026-2-9")).toBe(false);
    const day = (date: string) => ({ date, spans: [] });
    expect(specialProblem([day("2026-10-01"), day("2026-10-02")])).toBeNull();
    expect(specialProblem([day("2026-10-01"), day("2026-10-01")])).toEqual({
      at: 1,
      text: "manage.special_twice",
    });
    expect(specialProblem([day("")])).toEqual({ at: 0, text: "manage.special_no_date" });
  });
});

describe("a week in one line", () => {
  it("joins neighbours that are alike and leaves closed days out", () => {
    const open = [{ from: 540, to: 1_080 }];
    const late = [{ from: 600, to: 900 }];
    const runs = weekRuns([open, open, open, open, open, late, []]);
    expect(runs.map(({ from, to }) => [from, to])).toEqual([
      [0, 4],
      [5, 5],
    ]);
  });
});
