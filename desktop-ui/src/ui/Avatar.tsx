// A round face made of one or two letters. The tint follows a seed, so that the same person has the
// same one everywhere; colour alone carries no meaning, the letters do.

import type { ReactNode } from "react";
import styles from "./Avatar.module.css";
import { join } from "./join";

const TINTS = 6;

interface AvatarProps {
  /** Letters shown; at most two. */
  letters: string;
  /** What the tint follows. */
  seed: string;
  size: 28 | 36 | 40;
  /** Grey: not there at the moment. */
  absent?: boolean;
  /** A small mark at the lower right. */
  mark?: ReactNode;
}

/** FNV-1a: near ids get far tints. */
function tintOf(seed: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < seed.length; at++) {
    hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 8) % TINTS;
}

export function Avatar({ letters, seed, size, absent = false, mark }: AvatarProps) {
  const tint = absent ? styles.absent : styles[`tint${tintOf(seed)}`];
  return (
    <span className={join(styles.avatar, styles[`size${size}`], tint)} aria-hidden="true">
      {letters}
      {mark !== undefined && <span className={styles.mark}>{mark}</span>}
    </span>
  );
}

/** The letters for a name: the first character of a Chinese name, two initials of a Latin one. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? "")][0] ?? "";
  if (!/^[\p{Script=Latin}\d]/u.test(first)) return first;
  const second = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + second).toUpperCase();
}
