// Finds web addresses in plain text. Only http and https become links, shown exactly as written;
// everything else stays text. Punctuation that ends a sentence does not belong to an address, and a
// Chinese sentence may follow without a blank.

/** A piece of text, or an address with where it leads. */
export interface Piece {
  text: string;
  href: string | null;
}

/** What an address may consist of: no blanks, quotes, angle brackets, or characters beyond ASCII. */
const ADDRESS = /\bhttps?:\/\/[!#-;=?-Z\\[\]_a-z~]+/gi;
const ENDS_A_SENTENCE = /[.,:;!?'\]]+$/;

function trimmed(address: string): string {
  let text = address.replace(ENDS_A_SENTENCE, "");
  // A bracket that was opened before the address closes after it.
  while (text.endsWith(")") && !text.includes("(")) {
    text = text.slice(0, -1).replace(ENDS_A_SENTENCE, "");
  }
  return text;
}

function hrefOf(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** The pieces of a text, in order; joined they are the text again. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const href = hrefOf(address);
    if (href === null) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), href: null });
    pieces.push({ text: address, href });
    from = match.index + address.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), href: null });
  return pieces;
}
