// Decides what a key means in the composer. The Enter that closes an input method's candidate list
// must never send, and the Esc that gives it up must not leave.

import type { SendKey } from "../../../../shared/bindings/ui/SendKey";
import { belongsToInputMethod, type Composed } from "../../ui/inputMethod";

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
