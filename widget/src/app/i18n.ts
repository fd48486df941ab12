// The widget's words in both languages, and dates as each language writes them. The first choice
// follows the snippet, then the visitor's own choice, then the browser.

import { widget as en } from "../../../shared/i18n/en.json";
import { widget as zh } from "../../../shared/i18n/zh-CN.json";

/** Languages the widget speaks. */
export type Locale = "zh-CN" | "en";
/** A text of the catalogue's group `widget`. */
export type TextKey = keyof typeof zh;
/** Words in one language. */
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

const TEXTS: Record<Locale, Record<TextKey, string>> = { "zh-CN": zh, en };

/** The text with `{name}` replaced by the value of that name; without one the gap stays. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (gap, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : gap,
  );
}

/** The words of a language. */
export function translator(locale: Locale): Translate {
  return (key, values) => fill(TEXTS[locale][key], values);
}

/** Names one after the other, as the language does it. */
export function listOf(names: readonly string[], locale: Locale): string {
  return new Intl.ListFormat(locale).format(names);
}

/** The language of a tag, or null if the widget does not speak it. */
export function localeOf(tag: string | null | undefined): Locale | null {
  if (!tag) return null;
  const head = tag.toLowerCase().split(/[-_]/)[0];
  if (head === "zh") return "zh-CN";
  return head === "en" ? "en" : null;
}

/** The first language on the list that the widget speaks; English for everyone else. */
export function firstLocale(tags: readonly (string | null | undefined)[]): Locale {
  for (const tag of tags) {
    const locale = localeOf(tag);
    if (locale !== null) return locale;
  }
  return "en";
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
