// Whether a key press sends. Enter sends, Shift+Enter breaks the line, and the Enter that ends an
// input method's composition never sends, whichever way the browser reports it.

/** The Enter of a composition may arrive as a plain one right after its end (WebKit). */
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

/** `composition_ended_at` is the time stamp of the last compositionend, if there was one. */
export function sends(press: KeyPress, composition_ended_at: number | null): boolean {
  if (press.key !== "Enter" || press.shiftKey || press.altKey) return false;
  if (press.isComposing || press.keyCode === KEY_OF_INPUT_METHOD) return false;
  if (composition_ended_at === null) return true;
  return press.timeStamp - composition_ended_at > AFTER_COMPOSITION_MS;
}
