// What leaves the browser of a text that is still being typed: long numbers (cards, phones,
// identity papers) are masked, only the end is kept. Pure.

import { PREVIEW_CHARS_MAX, PREVIEW_DIGITS_SHOWN } from "./protocol";

/** A run: digits of any script, each at most one space or dash away from the one before. */
const RUN = /\p{Nd}(?:[\s\p{Pd}−]?\p{Nd})*/gu;
const DIGIT = /\p{Nd}/gu;

/** Replaces every digit of a run after the sixth; separators stay, so that lengths agree. */
export function maskDigits(text: string): string {
  return text.replace(RUN, (run) => {
    let count = 0;
    return run.replace(DIGIT, (digit) => {
      count += 1;
      return count > PREVIEW_DIGITS_SHOWN ? "*" : digit;
    });
  });
}

/** The preview of a draft. Masked before it is cut, so that a cut cannot start a new run. */
export function previewOf(draft: string): string {
  const characters = [...maskDigits(draft)];
  return characters.slice(-PREVIEW_CHARS_MAX).join("");
}
