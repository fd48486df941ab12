// How long an invitation is still open. It counts by the relay's clock and is not read out.

import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { useRelayNow } from "../../stores/clock";
import styles from "./Bars.module.css";

export function Countdown({ until }: { until: number }) {
  const t = useT();
  const left = Math.max(0, until - useRelayNow());
  return (
    <span className={styles.left} aria-hidden="true">
      {t("transfer.left", { time: clock(left + 999) })}
    </span>
  );
}
