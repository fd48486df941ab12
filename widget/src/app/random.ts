// Randomness for ids. `crypto.randomUUID` needs a secure context, `getRandomValues` does not.

/**
 * A new id: the time in milliseconds, then 80 random bits. Messages of one time stand together in the
 * relay's index that way, and storing many of them touches few of its pages.
 */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const time = Math.max(0, Date.now()).toString(16).padStart(12, "0");
  return time + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
