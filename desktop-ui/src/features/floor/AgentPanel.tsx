// One agent's load: what runs with this agent now, each to be opened watched.

import { X } from "lucide-react";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { useRelayNow } from "../../stores/clock";
import { openFromFloor } from "../../stores/floor";
import { IconButton } from "../../ui/IconButton";
import { Load } from "../../ui/Load";
import { WaitingClock } from "../inbox/WaitingClock";
import styles from "./AgentPanel.module.css";
import type { AgentRow } from "./figures";
import { PresenceMark } from "./PresenceMark";

interface AgentPanelProps {
  row: AgentRow;
  conversations: readonly FloorRunning[];
  onClose: () => void;
}

export function AgentPanel({ row, conversations, onClose }: AgentPanelProps) {
  const t = useT();
  const now = useRelayNow();
  const { running, capacity } = row.agent;
  return (
    <aside
      className={styles.panel}
      aria-label={t("floor.agent_panel", { name: row.name })}
      data-testid="agent-panel"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header className={styles.head}>
        <div>
          <h3>{row.name}</h3>
          <PresenceMark presence={row.presence} />
        </div>
        <IconButton label={t("common.close")} onClick={onClose}>
          <X size={18} aria-hidden="true" />
        </IconButton>
      </header>
      <div className={styles.load}>
        <Load
          running={running}
          capacity={capacity}
          label={t("floor.load_is", { running, capacity })}
        />
      </div>
      <p className={styles.hint}>{t("floor.watch_hint")}</p>
      {conversations.length === 0 && <p className={styles.idle}>{t("floor.agent_idle")}</p>}
      <ul className={styles.list}>
        {conversations.map((one) => {
          const visitor = t("common.visitor_name", { label: one.label });
          return (
            <li key={one.conversation_id}>
              <button
                type="button"
                className={styles.conversation}
                title={t("floor.open_watched", { name: visitor })}
                data-testid={`watch-${one.conversation_id}`}
                onClick={() => void openFromFloor(one.conversation_id)}
              >
                <span className={styles.line}>
                  <b>{visitor}</b>
                  {one.unanswered_since === null ? (
                    <span className={styles.since}>{clock(now - one.since)}</span>
                  ) : (
                    <WaitingClock since={one.unanswered_since} />
                  )}
                </span>
                <span className={styles.text}>{one.text}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </aside>
  );
}
