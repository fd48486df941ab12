// Presence by shape, colour and word together.

import { useT } from "../../i18n";
import { join } from "../../ui/join";
import type { Presence } from "./figures";
import styles from "./PresenceMark.module.css";

export function PresenceMark({ presence }: { presence: Presence }) {
  const t = useT();
  return (
    <span className={styles.presence}>
      <span className={join(styles.shape, styles[presence])} aria-hidden="true" />
      {t(`floor.presence_${presence}`)}
    </span>
  );
}
