// The languages the widget speaks, and which one a visitor reads. Pure; the document's first lines
// and the app decide by it alike.

/** Languages the widget speaks. */
export type Locale = "zh-CN" | "en";

/** The language of a tag, or null if the widget does not speak it. */
export function localeOf(tag: string | null | undefined): Locale | null {
  const head = tag?.toLowerCase().split(/[-_]/)[0];
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
