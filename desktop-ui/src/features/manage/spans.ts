// Parts of a day as people type them: 9, 9:30, 0930, 24:00. Minutes since midnight inside; the end is
// not included and 24:00 is the end of the day.

import type { Span } from "../../../../shared/bindings/Span";
import type { SpecialDay } from "../../../../shared/bindings/SpecialDay";
import type { TextKey } from "../../i18n";
import { DAY_MINUTES, timeText } from "../../i18n/format";

/** Spans of one day. */
export const SPANS_MAX = 6;
/** Special days of a department. */
export const SPECIAL_MAX = 366;

/** What is wrong with the spans of one day. */
export function spansProblem(spans: readonly Span[]): TextKey | null {
  if (spans.length > SPANS_MAX) return "manage.spans_many";
  if (spans.some(({ from, to }) => from >= to)) return "manage.span_backwards";
  const sorted = [...spans].sort((a, b) => a.from - b.from);
  const overlap = sorted.some((span, at) => span.from < (sorted[at - 1]?.to ?? 0));
  return overlap ? "manage.spans_overlap" : null;
}

/** A span to begin with after those that are there. */
export function nextSpan(spans: readonly Span[]): Span {
  const last = Math.max(0, ...spans.map(({ to }) => to));
  if (last === 0) return { from: 540, to: 1_080 };
  const from = Math.min(last + 60, DAY_MINUTES - 60);
  return { from, to: Math.min(from + 240, DAY_MINUTES) };
}

/** Every day of the week from 09:00 to 18:00 but the last two. */
export function usualWeek(): Span[][] {
  return Array.from({ length: 7 }, (_, day) => (day < 5 ? [{ from: 540, to: 1_080 }] : []));
}

/** Whether a text is a day of the calendar, `2026-10-01`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** What is wrong with the special days; the number is the line's. */
export function specialProblem(days: readonly SpecialDay[]): { at: number; text: TextKey } | null {
  if (days.length > SPECIAL_MAX) return { at: days.length - 1, text: "manage.special_many" };
  for (const [at, day] of days.entries()) {
    if (!isDate(day.date)) return { at, text: "manage.special_no_date" };
    if (days.findIndex((one) => one.date === day.date) < at) {
      return { at, text: "manage.special_twice" };
    }
    const text = spansProblem(day.spans);
    if (text !== null) return { at, text };
  }
  return null;
}

/** 09:00–12:00 · 13:00–18:00 */
export function spansText(spans: readonly Span[]): string {
  return spans.map(({ from, to }) => `${timeText(from)}–${timeText(to)}`).join(" · ");
}

/** Days of the week that have the same spans, one after the other: for a week in one line. */
export function weekRuns(week: readonly (readonly Span[])[]): {
  from: number;
  to: number;
  spans: readonly Span[];
}[] {
  const runs: { from: number; to: number; spans: readonly Span[] }[] = [];
  for (const [day, spans] of week.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && spansText(last.spans) === spansText(spans)) last.to = day;
    else runs.push({ from: day, to: day, spans });
  }
  return runs.filter(({ spans }) => spans.length > 0);
}
