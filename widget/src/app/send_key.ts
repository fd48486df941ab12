// What a key press in the composer means. Enter sends, Shift+Enter breaks the line, and the Enter or
// Esc that ends an input method's composition does nothing else, whichever way the browser reports it.

/** The last key of a composition may arrive as a plain one right after its end (WebKit). */
const AFTER_COMPOSITION_MS = 50;
const KEY_OF_INPUT_METHOD = 229;

/** What a key press is, as the browser tells it. */
export interface KeyPress {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode: number;
  timeStamp: number;
}

/**
 * Whether an input method has this key press. `composition_ended_at` is the time stamp of the last
 * compositionend, if there was one.
 */
export function isInputMethods(press: KeyPress, composition_ended_at: number | null): boolean {
  if (press.isComposing || press.keyCode === KEY_OF_INPUT_METHOD) return true;
  if (composition_ended_at === null) return false;
  return press.timeStamp - composition_ended_at <= AFTER_COMPOSITION_MS;
}

/** Whether it sends. */
export function sends(press: KeyPress, composition_ended_at: number | null): boolean {
  if (press.key !== "Enter" || press.shiftKey || press.altKey) return false;
  return !isInputMethods(press, composition_ended_at);
}
