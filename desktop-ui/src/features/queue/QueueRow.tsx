// One who waits: who, how long, where in which line and why, what was said last; and what a manager
// may do about it. Opening the row watches the conversation.

import { memo } from "react";
import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import { type Translate, useT } from "../../i18n";
import { useDepartmentName } from "../../stores/company";
import { useAgentName } from "../../stores/people";
import type { QueueColumn } from "../../stores/queueView";
import { takeOver, watchConversation } from "../../stores/watch";
import { Avatar } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { Tag } from "../../ui/Tag";
import { WaitingClock } from "../inbox/WaitingClock";
import styles from "./Queue.module.css";

const LINE = 20;
const PADDING = 18;

/** How high every row is that tells this. */
export function rowHeight(columns: readonly QueueColumn[]): number {
  const facts = columns.some((column) => column !== "text");
  const lines = 2 + (facts ? 1 : 0);
  return PADDING + 4 + lines * LINE;
}

interface QueueRowProps {
  row: FloorWaiting;
  columns: readonly QueueColumn[];
  current: boolean;
  onAssign: (row: FloorWaiting) => void;
}

export const QueueRow = memo(function QueueRow(props: QueueRowProps) {
  const { row, columns, current, onAssign } = props;
  const t = useT();
  const facts = useFacts(row, columns);
  const name = t("common.visitor_name", { label: row.label });
  return (
    // biome-ignore lint/a11y/useSemanticElements: the virtual list stands between the two with its own
    <div
      role="listitem"
      className={join(styles.row, current && styles.current)}
      style={{ height: rowHeight(columns) }}
      data-testid="queue-row"
      data-conversation-id={row.conversation_id}
    >
      <button
        type="button"
        className={styles.open}
        aria-current={current}
        data-testid="queue-open"
        onClick={() => void watchConversation(row.conversation_id)}
      >
        <Avatar letters={row.label.slice(0, 2)} seed={row.label} size={36} />
        <span className={styles.lines}>
          <span className={styles.top}>
            <span className={styles.names}>
              <b>{name}</b>
              {row.vip && <Tag tone="vip">{t("workbench.vip")}</Tag>}
              {row.front && <Tag tone="warn">{t("queue.front")}</Tag>}
            </span>
            <WaitingClock since={row.since} title={t("queue.waited")} />
          </span>
          {facts.length > 0 && <span className={styles.facts}>{facts.join(" · ")}</span>}
        </span>
      </button>
      <div className={styles.bottom}>
        <span className={styles.text}>{columns.includes("text") ? row.text : ""}</span>
        <button
          type="button"
          className={styles.act}
          aria-label={`${t("queue.assign")} ${name}`}
          data-testid="queue-assign"
          onClick={() => onAssign(row)}
        >
          {t("queue.assign")}
        </button>
        <button
          type="button"
          className={styles.act}
          aria-label={`${t("queue.take")} ${name}`}
          title={t("transfer.take_over_means")}
          data-testid="queue-take"
          onClick={() => void takeOver(row.conversation_id)}
        >
          {t("queue.take")}
        </button>
      </div>
    </div>
  );
});

function reasonOf(t: Translate, row: FloorWaiting, nameOf: (id: string) => string): string | null {
  if (row.own_agent !== null) return t("queue.waits_for", { name: nameOf(row.own_agent) });
  return row.reason === null ? null : t(`floor.reason_${row.reason}`);
}

function useFacts(row: FloorWaiting, columns: readonly QueueColumn[]): string[] {
  const t = useT();
  const nameOf = useAgentName();
  const departmentOf = useDepartmentName();
  const told: Record<QueueColumn, string | null> = {
    department: departmentOf(row.department_id),
    place: t("queue.place", { place: row.place }),
    reason: reasonOf(t, row, nameOf),
    priority: row.priority > 0 ? t("queue.priority", { priority: row.priority }) : null,
    text: null,
  };
  return columns.flatMap((column) => told[column] ?? []);
}
