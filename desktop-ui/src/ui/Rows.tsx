// The shape of a list that is being read; seen only if that takes long enough to be noticed.

import styles from "./Rows.module.css";

export function Rows({ label }: { label: string }) {
  return (
    <div className={styles.rows} role="status" aria-label={label}>
      <i />
      <i />
      <i />
    </div>
  );
}
