// Keys that belong to an input method. The Enter that closes its candidate list must send nothing, and
// the Esc that gives it up must close nothing: browsers say so by `isComposing` or key code 229, but
// WebKitGTK ends the composition first and then fires an ordinary key, so one that follows the end of a
// composition too closely is the input method's as well.

/** A key press, as far as it matters here. */
export interface ComposingPress {
  keyCode: number;
  isComposing: boolean;
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

/** Whether a key press is the input method's. */
export function belongsToInputMethod(press: ComposingPress, composed: Composed | null): boolean {
  if (press.isComposing || press.keyCode === KEY_CODE_PROCESSING) return true;
  if (composed === null) return false;
  const since = press.timeStamp - composed.at;
  return since < SURELY_INPUT_METHOD_MS || (!composed.released && since < SAME_PRESS_MS);
}

/** Keeps the input method's Enter and Esc from the form or dialog around a field, inside an element.
 * The answer lets go of it. */
export function guardInputMethod(inside: HTMLElement): () => void {
  let composed: Composed | null = null;
  const began = () => {
    composed = null;
  };
  const ended = (event: Event) => {
    composed = { at: event.timeStamp, released: false };
  };
  const released = () => {
    if (composed !== null) composed.released = true;
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    if (!belongsToInputMethod(event, composed)) return;
    event.stopPropagation();
    // While it composes, the platform's own handling is the input method's.
    if (!event.isComposing) event.preventDefault();
  };
  inside.addEventListener("compositionstart", began, true);
  inside.addEventListener("compositionend", ended, true);
  inside.addEventListener("keyup", released, true);
  inside.addEventListener("keydown", pressed, true);
  return () => {
    inside.removeEventListener("compositionstart", began, true);
    inside.removeEventListener("compositionend", ended, true);
    inside.removeEventListener("keyup", released, true);
    inside.removeEventListener("keydown", pressed, true);
  };
}
