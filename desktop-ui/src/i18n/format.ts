// Times and lengths as people read them. Every function takes the language and what it needs to
// know of "now": nothing here looks at a clock.

import type { Locale } from ".";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: Locale, name: string, options: Intl.DateTimeFormatOptions) {
  const key = `${locale} ${name}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(locale, options);
    formats.set(key, found);
  }
  return found;
}

/** 10:21 */
export function timeOfDay(locale: Locale, at: number): string {
  return format(locale, "time", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    at,
  );
}

/** 10:21:05 */
export function timeWithSeconds(locale: Locale, at: number): string {
  return format(locale, "seconds", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

/** A minute of the day: 09:30, and 24:00 for its end. */
export function timeText(minute: number): string {
  const pad = (n: number) => String(n).padStart(2, "0");
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`;
}

/** The end of the day, in minutes. */
export const DAY_MINUTES = 1_440;

/** What was typed as minutes of the day: 9, 9:30, 0930, 24:00; `null` for what is no time. */
export function parseTime(typed: string): number | null {
  const found = /^(\d{1,2})(?:[:：.]?([0-5]\d))?$/.exec(typed.trim());
  if (found === null) return null;
  const minutes = Number(found[1]) * 60 + Number(found[2] ?? 0);
  return minutes <= DAY_MINUTES ? minutes : null;
}

/** Full date and time, for titles and screen readers. */
export function fullTime(locale: Locale, at: number): string {
  return format(locale, "full", {
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

/** The local calendar day as a number that grows by one per day. */
export function dayNumber(at: number): number {
  const day = new Date(at);
  return Math.floor(Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) / 86_400_000);
}

/** 今天, 昨天, 星期三, 11月10日 or 2025年11月10日, whichever says enough. */
export function dayName(locale: Locale, at: number, now: number): string {
  const back = dayNumber(now) - dayNumber(at);
  if (back === 0 || back === 1) {
    const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    const text = relative.format(-back, "day");
    return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
  }
  if (back > 1 && back < 7) return format(locale, "weekday", { weekday: "long" }).format(at);
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return sameYear
    ? format(locale, "day", { month: "long", day: "numeric" }).format(at)
    : format(locale, "date", { year: "numeric", month: "long", day: "numeric" }).format(at);
}

/** The time of a list row: today the time of day, else the day. */
export function rowTime(locale: Locale, at: number, now: number): string {
  const back = dayNumber(now) - dayNumber(at);
  if (back <= 0) return timeOfDay(locale, at);
  if (back < 7) return dayName(locale, at, now);
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return sameYear
    ? format(locale, "shortday", { month: "numeric", day: "numeric" }).format(at)
    : format(locale, "shortdate", {
        year: "numeric",
        month: "numeric",
        day: "numeric",
      }).format(at);
}

/** 02:13, or 1:02:13 from an hour on. Never negative. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const pad = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** A language's own name in the language on screen, or the tag itself. */
export function languageName(locale: Locale, tag: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
