// Presence as a shape. The word stands beside it.

import type { Availability } from "../../../../shared/bindings/Availability";
import { join } from "../../ui/join";
import styles from "./PresenceDot.module.css";

export function PresenceDot({ presence }: { presence: Availability | "offline" }) {
  return <span className={join(styles.dot, styles[presence])} aria-hidden="true" />;
}
