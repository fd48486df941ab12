// How much somebody has, of how much at once: a number and a bar that agree. Full has its own colour
// and the number says it.

import { join } from "./join";
import styles from "./Load.module.css";

interface LoadProps {
  running: number;
  capacity: number;
  /** What a screen reader says. */
  label: string;
}

export function Load({ running, capacity, label }: LoadProps) {
  const share = capacity > 0 ? Math.min(1, running / capacity) : 1;
  return (
    <span className={styles.load} role="img" aria-label={label} title={label}>
      <span className={styles.numbers} aria-hidden="true">
        <b>{running}</b>/{capacity}
      </span>
      <span className={join(styles.bar, running >= capacity && styles.full)} aria-hidden="true">
        <i style={{ width: `${Math.round(share * 100)}%` }} />
      </span>
    </span>
  );
}
