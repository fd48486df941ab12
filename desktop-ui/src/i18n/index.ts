// The words of the workbench, from the one catalogue of the product. Keys are typed by the Chinese
// file; the English one must have the same (a test says so). Plural forms and dates come from the
// platform's Intl. No text stands in code.

import { useSyncExternalStore } from "react";
import {
  attention as attentionEn,
  away as awayEn,
  common as commonEn,
  contacts as contactsEn,
  error as errorEn,
  explain as explainEn,
  floor as floorEn,
  manage as manageEn,
  notes as notesEn,
  queue as queueEn,
  replay as replayEn,
  transfer as transferEn,
  workbench as workbenchEn,
} from "../../../shared/i18n/en.json";
import {
  attention as attentionZh,
  away as awayZh,
  common as commonZh,
  contacts as contactsZh,
  error as errorZh,
  explain as explainZh,
  floor as floorZh,
  manage as manageZh,
  notes as notesZh,
  queue as queueZh,
  replay as replayZh,
  transfer as transferZh,
  workbench as workbenchZh,
} from "../../../shared/i18n/zh-CN.json";

const ZH = {
  attention: attentionZh,
  away: awayZh,
  common: commonZh,
  contacts: contactsZh,
  error: errorZh,
  explain: explainZh,
  floor: floorZh,
  manage: manageZh,
  notes: notesZh,
  queue: queueZh,
  replay: replayZh,
  transfer: transferZh,
  workbench: workbenchZh,
};
const EN = {
  attention: attentionEn,
  away: awayEn,
  common: commonEn,
  contacts: contactsEn,
  error: errorEn,
  explain: explainEn,
  floor: floorEn,
  manage: manageEn,
  notes: notesEn,
  queue: queueEn,
  replay: replayEn,
  transfer: transferEn,
  workbench: workbenchEn,
};

/** Languages the workbench speaks. */
export type Locale = "zh-CN" | "en";

type Catalogue = typeof ZH;
type Entry = string | { one?: string; other: string };

/** Every text there is, as `group.name`. */
export type TextKey = {
  [G in keyof Catalogue]: `${G & string}.${keyof Catalogue[G] & string}`;
}[keyof Catalogue];

/** Values put in for `{name}`; `count` also chooses the plural form. */
export type TextValues = Record<string, string | number>;

/** Finds words. */
export type Translate = (key: TextKey, values?: TextValues) => string;

const plurals: Record<Locale, Intl.PluralRules> = {
  "zh-CN": new Intl.PluralRules("zh-CN"),
  en: new Intl.PluralRules("en"),
};

function entryOf(locale: Locale, key: TextKey): Entry {
  const [group, name] = key.split(".", 2) as [keyof Catalogue, string];
  const texts: Record<string, Entry> = (locale === "en" ? EN : ZH)[group];
  return texts[name] ?? key;
}

/** The words for a key in a language. */
export function translate(locale: Locale, key: TextKey, values: TextValues = {}): string {
  const entry = entryOf(locale, key);
  let text: string;
  if (typeof entry === "string") {
    text = entry;
  } else {
    const form = plurals[locale].select(Number(values.count ?? 0));
    text = (form === "one" ? entry.one : undefined) ?? entry.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

/** The language to use for a preference: a known tag, or what the system speaks. */
export function localeFor(preference: string, system: readonly string[]): Locale {
  if (preference === "zh-CN" || preference === "en") return preference;
  for (const tag of system) {
    if (/^zh\b/i.test(tag)) return "zh-CN";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "zh-CN";
}

let current: Locale = "zh-CN";
let bound: Translate = (key, values) => translate("zh-CN", key, values);
const listeners = new Set<() => void>();

/** Changes the language of everything on screen. */
export function setLocale(locale: Locale): void {
  if (locale === current) return;
  current = locale;
  bound = (key, values) => translate(locale, key, values);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The language on screen. */
export function useLocale(): Locale {
  return useSyncExternalStore(subscribe, () => current);
}

/** Words in the language on screen; a component that uses it follows a change. */
export function useT(): Translate {
  return useSyncExternalStore(subscribe, () => bound);
}
