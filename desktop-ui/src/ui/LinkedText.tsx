// Plain text whose web addresses can be opened; the shell opens them in the system's browser.

import { useMemo } from "react";
import styles from "./LinkedText.module.css";
import { piecesOf } from "./links";

export function LinkedText({ text }: { text: string }) {
  const pieces = useMemo(() => piecesOf(text), [text]);
  return pieces.map((piece, index) =>
    piece.href === null ? (
      piece.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
      <Link key={index} href={piece.href} text={piece.text} />
    ),
  );
}

/** One address. */
function Link({ href, text }: { href: string; text: string }) {
  return (
    <a className={styles.link} href={href} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  );
}
