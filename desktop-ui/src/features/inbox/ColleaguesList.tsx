// 同事会话 (L02): what colleagues serve, the longest unanswered first. Opening one watches it, unseen by
// visitor and agent.

import { Eye, WifiOff } from "lucide-react";
import { useCallback } from "react";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import { useT } from "../../i18n";
import { useChat } from "../../stores/chat";
import { useConnection } from "../../stores/connection";
import { useFloor, useFloorWatch } from "../../stores/floor";
import { useAgentName } from "../../stores/people";
import { useOwn } from "../../stores/session";
import { watchConversation } from "../../stores/watch";
import { Avatar } from "../../ui/Avatar";
import { Empty } from "../../ui/Empty";
import { join } from "../../ui/join";
import { RowList } from "../../ui/RowList";
import { Rows } from "../../ui/Rows";
import styles from "./Row.module.css";
import { WaitingClock } from "./WaitingClock";

const ROW_HEIGHT = 62;

export function ColleaguesList({ listId }: { listId: string }) {
  const t = useT();
  useFloorWatch();
  const ownId = useOwn()?.id;
  const floor = useFloor((state) => state.floor);
  const connected = useConnection((state) => state.connection.state === "connected");
  const open = useChat((state) => state.conversationId);
  const onOpen = useCallback((id: string) => void watchConversation(id), []);
  const rows = (floor?.running ?? []).filter(
    (one) => one.agent_id !== ownId && !one.members.includes(ownId ?? ""),
  );
  // What is not current says nothing: nobody talking before is not nobody talking.
  if (!connected && rows.length === 0) {
    return (
      <Empty
        icon={<WifiOff size={26} />}
        title={t("workbench.inbox_empty_offline")}
        text={t("workbench.inbox_empty_offline_text")}
      />
    );
  }
  if (floor === null) return <Rows label={t("transfer.running_loading")} />;
  if (rows.length === 0) {
    return (
      <Empty
        icon={<Eye size={26} />}
        title={t("transfer.running_none")}
        text={t("transfer.running_none_text")}
      />
    );
  }
  return (
    <>
      {!connected && (
        <p className={styles.stale} role="status">
          {t("floor.not_live")}
        </p>
      )}
      <RowList
        id={listId}
        label={t("workbench.tab_colleagues")}
        rows={rows}
        rowHeight={ROW_HEIGHT}
        keyOf={(row) => row.conversation_id}
        open={open}
        onOpen={onOpen}
      >
        {(row, place) => (
          <ColleagueRow
            key={row.conversation_id}
            id={place.id}
            row={row}
            current={row.conversation_id === open}
            cursor={place.cursor}
            onOpen={onOpen}
          />
        )}
      </RowList>
    </>
  );
}

interface ColleagueRowProps {
  id: string;
  row: FloorRunning;
  current: boolean;
  cursor: boolean;
  onOpen: (conversationId: string) => void;
}

function ColleagueRow({ id, row, current, cursor, onOpen }: ColleagueRowProps) {
  const t = useT();
  const nameOf = useAgentName();
  const names = [row.agent_id, ...row.members].map(nameOf).join(t("workbench.names_and"));
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys for all its options
    // biome-ignore lint/a11y/useFocusableInteractive: the list holds the focus and names this one
    <div
      id={id}
      role="option"
      aria-selected={current}
      data-testid="colleague-row"
      data-conversation-id={row.conversation_id}
      className={join(styles.row, current && styles.current, cursor && styles.cursor)}
      onClick={() => onOpen(row.conversation_id)}
    >
      <Avatar letters={row.label.slice(0, 2)} seed={row.label} size={36} />
      <div className={styles.lines}>
        <div className={styles.top}>
          <span className={styles.name}>{t("common.visitor_name", { label: row.label })}</span>
          <span className={styles.site}>{names}</span>
          {row.unanswered_since !== null && <WaitingClock since={row.unanswered_since} />}
        </div>
        <div className={styles.bottom}>
          <span className={styles.line}>{row.text}</span>
        </div>
      </div>
    </div>
  );
}
