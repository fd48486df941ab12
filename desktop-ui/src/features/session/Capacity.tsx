// How many conversations run, of how many at once: a number and a bar that agree.

import { useT } from "../../i18n";
import { useServing } from "../../stores/inbox";
import { join } from "../../ui/join";
import styles from "./TitleParts.module.css";

/** More segments than this would be hairlines; then the bar shows shares. */
const SEGMENTS_MAX = 10;

export function Capacity({ capacity }: { capacity: number }) {
  const t = useT();
  const running = useServing();
  const segments = Math.min(capacity, SEGMENTS_MAX);
  const filled = Math.ceil((Math.min(running, capacity) / Math.max(1, capacity)) * segments);
  const full = running >= capacity;
  return (
    <div
      className={styles.capacity}
      role="img"
      aria-label={t("workbench.capacity_is", { running, capacity })}
      title={t("workbench.capacity_is", { running, capacity })}
    >
      <span className={styles.label}>{t("workbench.capacity")}</span>
      <b>
        {running}/{capacity}
      </b>
      <span className={join(styles.bar, full && styles.full)}>
        {Array.from({ length: segments }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: segments have no identity but their place
          <i key={index} className={index < filled ? styles.filled : undefined} />
        ))}
      </span>
    </div>
  );
}
