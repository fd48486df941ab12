// Presence by shape, colour and word together.

import { useT } from "../../i18n";
import { PresenceDot } from "../session/PresenceDot";
import type { Presence } from "./figures";
import styles from "./PresenceMark.module.css";

export function PresenceMark({ presence }: { presence: Presence }) {
  const t = useT();
  return (
    <span className={styles.presence}>
      <PresenceDot presence={presence} />
      {t(`floor.presence_${presence}`)}
    </span>
  );
}
