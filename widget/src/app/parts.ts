// The parts that are fetched beside the app: what few chats show, and the words of each language. The
// document names their files; a browser that remembers a failed import is asked by another address.

import type { TextKey } from "./i18n";
import type { Locale } from "./locale";
import { Part } from "./part";

interface Words {
  widget: Partial<Record<TextKey, string>>;
}

function part<T>(name: string, first: () => Promise<T>): Part<T> {
  return new Part((tries) => {
    const file = document.documentElement.dataset[name];
    return tries === 0 || file === undefined
      ? first()
      : import(/* @vite-ignore */ `${file}?${tries}`);
  });
}

/** What few chats show (see later.tsx). */
export const LATER = part("later", () => import("./later"));

/** The words of every chat. */
export const WORDS: Record<Locale, Part<Words>> = {
  "zh-CN": part("zh", () => import("../../../shared/i18n/zh-CN.json")),
  en: part("en", () => import("../../../shared/i18n/en.json")),
};
