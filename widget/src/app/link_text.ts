// Finds links in plain text. Only addresses that name an allowed scheme become links; everything
// else stays the text it is. Pure.

/** A piece of a message. */
export interface Piece {
  text: string;
  href?: string;
}

const ADDRESS =
  /\b(?:https?:\/\/[\w.~:/?#[\]@!$&'()*+,;=%-]+|mailto:[\w.+%-]+@[\w.-]+|tel:\+?[\d().-]{3,})/gi;
const ALLOWED = ["http:", "https:", "mailto:", "tel:"];
const TAIL = /[.,;:!?'")\]]+$/;

function hrefOf(text: string): string | null {
  try {
    const url = new URL(text);
    return ALLOWED.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The closing mark of a sentence or bracket does not belong to an address. */
function withoutTail(found: string): string {
  if (found.endsWith(")") && found.includes("(")) return found;
  return found.replace(TAIL, "");
}

/** The text in pieces, in order; joined they are the text again. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTail(match[0]);
    const href = hrefOf(address);
    if (href === null) continue;
    if (match.index > done) found.push({ text: text.slice(done, match.index) });
    found.push({ text: address, href });
    done = match.index + address.length;
  }
  if (done < text.length) found.push({ text: text.slice(done) });
  return found;
}
