// How the link to the relay stands, in words that are always true: since when it is broken, what
// happens to messages meanwhile, how many wait.

import { Check, CircleHelp, CloudOff, LoaderCircle } from "lucide-react";
import { useT } from "../../i18n";
import { useNow } from "../../stores/clock";
import { useConnection } from "../../stores/connection";
import { join } from "../../ui/join";
import styles from "./ConnectionLine.module.css";

export function ConnectionLine() {
  const t = useT();
  const { state, latency_ms, unsent } = useConnection((store) => store.connection);
  const known = useConnection((store) => store.host === "up");
  if (!known) {
    // What the core said last may have changed since: say nothing that may be untrue.
    return (
      <div
        className={join(styles.line, styles.offline)}
        role="status"
        data-testid="connection-state"
        data-state="unknown"
      >
        <CircleHelp size={16} aria-hidden="true" />
        {t("workbench.connection_unknown")}
      </div>
    );
  }
  return (
    <div
      className={join(styles.line, styles[state])}
      role="status"
      data-testid="connection-state"
      data-state={state}
    >
      {state === "connected" && <Check size={16} aria-hidden="true" />}
      {(state === "connecting" || state === "reconnecting") && (
        <LoaderCircle size={16} className={styles.turning} aria-hidden="true" />
      )}
      {state === "offline" && <CloudOff size={16} aria-hidden="true" />}
      <span className={styles.words}>
        {state === "connected" && t("workbench.connected")}
        {state === "connecting" && t("workbench.connecting")}
        {state === "reconnecting" && t("workbench.reconnecting")}
        {state === "offline" && t("workbench.offline")}
        {state === "reconnecting" && <OfflineFor />}
      </span>
      {state === "connected" && latency_ms !== null && (
        // Changes all day long, and is not read out each time.
        <span className={styles.latency} aria-hidden="true">
          {t("common.milliseconds", { count: latency_ms })}
        </span>
      )}
      {unsent > 0 && (
        <span className={styles.unsent} data-testid="unsent">
          {t("workbench.unsent", { count: unsent })}
        </span>
      )}
    </div>
  );
}

/** Counts on its own, and is not read out every second. */
function OfflineFor() {
  const t = useT();
  const since = useConnection((store) => store.connection.since);
  const seconds = Math.max(0, Math.floor((useNow() - since) / 1_000));
  return (
    <span aria-hidden="true">
      {seconds < 60
        ? t("workbench.offline_seconds", { count: seconds })
        : t("workbench.offline_minutes", { count: Math.floor(seconds / 60) })}
    </span>
  );
}
