// The loader's few words.

import { widget as en } from "../../../shared/i18n/en.json";
import { widget as zh } from "../../../shared/i18n/zh-CN.json";

export function wordsOf(tag: string): typeof zh {
  return /^zh/i.test(tag) ? zh : en;
}

/** Puts values into the gaps of a text. */
export function text(words: string, values: Record<string, string | number>): string {
  return words.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
