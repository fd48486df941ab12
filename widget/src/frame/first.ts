// The document's first lines, inline in it. They ask for the words of the visitor's language beside
// the app, not after it; and where a file of the document does not come (the relay is away, or was
// upgraded between the document and its files), they say so and load the document again when the
// relay is back. A browser that does not understand the app is told so.

import { widget as en } from "../../../shared/i18n/en.json?frame";
import { widget as zh } from "../../../shared/i18n/zh-CN.json?frame";
import { firstLocale } from "../app/locale";

const AGAIN_MS = 2_000;
const AGAIN_MS_MAX = 60_000;

const root = document.documentElement;
const { site } = root.dataset;

function chosen(): string | null {
  try {
    return localStorage.getItem(`yingke:${site}:locale`);
  } catch {
    return null;
  }
}

// The snippet's language stands behind the #; it gives way to the visitor's own choice.
const locale = firstLocale([chosen(), location.hash.slice(1), ...navigator.languages]);
root.lang = locale;

let is_lost = false;

function stands(): boolean {
  return document.querySelector(".app") !== null;
}

/** Asks whether the relay gives the document, later and later; then loads it, if it is still needed. */
function again(wait: number, isNeeded: () => boolean): void {
  const later = () => again(Math.min(wait * 2, AGAIN_MS_MAX), isNeeded);
  const load = ({ ok }: Response) => {
    if (!ok) later();
    else if (isNeeded()) location.reload();
  };
  const ask = () => fetch(location.href, { cache: "no-store" }).then(load, later);
  setTimeout(ask, wait * (0.5 + Math.random()));
}

/** Says it in place of the window. */
function say(key: keyof typeof en): void {
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  words.textContent = (locale === "en" ? en : zh)[key];
  words.style.cssText = "margin:40vh 1em;font:14px system-ui;text-align:center";
  (document.body ?? root).prepend(words);
}

addEventListener(
  "error",
  ({ target }) => {
    // Without its looks it does not stand, even if it is drawn.
    const has_looks = !(target instanceof HTMLLinkElement);
    const isNeeded = () => !(has_looks && stands());
    if (is_lost || !isNeeded()) return;
    is_lost = true;
    const is_file = !has_looks || target instanceof HTMLScriptElement;
    say(is_file ? "frame_lost" : "frame_old");
    if (is_file) again(AGAIN_MS, isNeeded);
  },
  true,
);

const words = document.createElement("script");
words.type = "module";
words.crossOrigin = "";
words.src = root.dataset[locale === "en" ? "en" : "zh"] ?? "";
document.head.append(words);
