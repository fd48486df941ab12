// The page a visitor is on, within the limits of the protocol.

import type { HostPage } from "./messages";

const URL_BYTES_MAX = 2048;
const TITLE_CHARS_MAX = 64;

/** Cuts an address to the limit without cutting a character in two. */
export function cutToBytes(text: string, most: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= most) return text;
  return new TextDecoder().decode(bytes.subarray(0, most)).replace(/\uFFFD+$/, "");
}

/** Address and title of a document. */
export function pageOf(url: string, title: string): HostPage {
  return {
    url: cutToBytes(url, URL_BYTES_MAX),
    title: [...title].slice(0, TITLE_CHARS_MAX).join(""),
  };
}
