// The widget's words, as far as they are fetched, and dates as each language writes them.

import type { Locale } from "./locale";

/** A text of the catalogue's group `widget`. */
export type TextKey = keyof typeof import("../../../shared/i18n/zh-CN.json")["widget"];
/** Words in one language. */
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

const TEXTS: Record<Locale, Partial<Record<TextKey, string>>> = { "zh-CN": {}, en: {} };

/** Words that were fetched. */
export function learn(locale: Locale, texts: Partial<Record<TextKey, string>>): void {
  Object.assign(TEXTS[locale], texts);
}

/** The text with `{name}` replaced by the value of that name; without one the gap stays. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (gap, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : gap,
  );
}

/** The words of a language. */
export function translator(locale: Locale): Translate {
  return (key, values) => fill(TEXTS[locale][key] ?? "", values);
}

/** Names one after the other, as the language does it. */
export function listOf(names: readonly string[], locale: Locale): string {
  return new Intl.ListFormat(locale).format(names);
}

/** Time of day, 24 hours in both languages. */
export function timeOfDay(at: number): string {
  const time = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** A moment for a divider: today, yesterday, or the date. */
export function moment(at: number, now: number, locale: Locale): string {
  const t = translator(locale);
  const time = timeOfDay(at);
  const day = new Date(at).toDateString();
  if (day === new Date(now).toDateString()) return t("today", { time });
  if (day === new Date(now - 24 * 60 * 60 * 1000).toDateString()) return t("yesterday", { time });
  const date = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" }).format(at);
  return `${date} ${time}`;
}
