// Decides what a key means in the composer. The Enter that closes an input method's candidate list
// must never send, and the Esc that gives it up must not leave: browsers say so by `isComposing` or
// key code 229, but WebKitGTK ends the composition first and then fires an ordinary key, so one that
// follows the end of a composition too closely is the input method's as well.

import type { SendKey } from "../../../../shared/bindings/ui/SendKey";

/** What the composer does with a key. */
export type KeyMeaning = "send" | "break" | "leave" | "none";

/** A key press, as far as it matters. */
export interface Press {
  key: string;
  keyCode: number;
  isComposing: boolean;
  repeat: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  timeStamp: number;
}

/** The end of the last composition: when, and whether a key was released since. */
export interface Composed {
  at: number;
  released: boolean;
}

/** No hand presses Enter this soon after choosing a candidate, whatever was released between. */
const SURELY_INPUT_METHOD_MS = 100;
/** As long as no key was released, it is still the press that ended the composition. */
const SAME_PRESS_MS = 500;
/** What a key press has while an input method handles it. */
const KEY_CODE_PROCESSING = 229;

function belongsToInputMethod(press: Press, composed: Composed | null): boolean {
  if (press.isComposing || press.keyCode === KEY_CODE_PROCESSING) return true;
  if (composed === null) return false;
  const since = press.timeStamp - composed.at;
  return since < SURELY_INPUT_METHOD_MS || (!composed.released && since < SAME_PRESS_MS);
}

/** What a key press means. */
export function meaningOf(press: Press, sendKey: SendKey, composed: Composed | null): KeyMeaning {
  if (press.key !== "Enter" && press.key !== "Escape") return "none";
  if (belongsToInputMethod(press, composed)) return "none";
  if (press.key === "Escape") return "leave";
  const modified = press.ctrlKey || press.metaKey;
  if (press.altKey) return "none";
  const sends = sendKey === "enter" ? !press.shiftKey && !modified : modified && !press.shiftKey;
  // A held key would send what is typed next; it breaks no line either.
  if (sends) return press.repeat ? "none" : "send";
  return sendKey === "enter" && modified ? "break" : "none";
}
