// 同事会话 (L02): what colleagues serve, the longest unanswered first. Opening one watches it, unseen by
// visitor and agent.

import { Eye, Globe } from "lucide-react";
import { memo, useMemo } from "react";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import { useT } from "../../i18n";
import { useConnection } from "../../stores/connection";
import { useFloor, useFloorWatch } from "../../stores/floor";
import { useAgentName } from "../../stores/people";
import { useOwn } from "../../stores/session";
import { watchConversation } from "../../stores/watch";
import { Avatar } from "../../ui/Avatar";
import { Empty } from "../../ui/Empty";
import { Rows } from "../../ui/Rows";
import {
  ConversationList,
  type ConversationRowProps,
  OutOfReach,
  RowFrame,
} from "./ConversationList";
import styles from "./Row.module.css";
import { WaitingClock } from "./WaitingClock";

const watchOne = (id: string) => void watchConversation(id);

export function ColleaguesList({ listId }: { listId: string }) {
  const t = useT();
  useFloorWatch();
  const ownId = useOwn()?.id ?? "";
  const running = useFloor((state) => state.floor?.running);
  const connected = useConnection((state) => state.connection.state === "connected");
  const rows = useMemo(
    () => running?.filter((one) => one.agent_id !== ownId && !one.members.includes(ownId)) ?? [],
    [running, ownId],
  );
  // What is not current says nothing: nobody talking before is not nobody talking.
  if (!connected && rows.length === 0) return <OutOfReach />;
  if (running === undefined) return <Rows label={t("transfer.running_loading")} />;
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
      <ConversationList
        listId={listId}
        label={t("workbench.tab_colleagues")}
        rows={rows}
        Row={ColleagueRow}
        onOpen={watchOne}
      />
    </>
  );
}

const ColleagueRow = memo(function ColleagueRow(props: ConversationRowProps<FloorRunning>) {
  const { row } = props;
  const t = useT();
  const nameOf = useAgentName();
  const names = [row.agent_id, ...row.members].map(nameOf).join(t("workbench.names_and"));
  return (
    <RowFrame {...props} conversationId={row.conversation_id} testId="colleague-row">
      <Avatar
        letters={row.label.slice(0, 2)}
        seed={row.label}
        size={36}
        mark={<Globe size={10} />}
      />
      <div className={styles.lines}>
        <div className={styles.top}>
          <span className={styles.name}>{t("common.visitor_name", { label: row.label })}</span>
          <span className={styles.site} title={names}>
            {names}
          </span>
          {row.unanswered_since !== null && <WaitingClock since={row.unanswered_since} />}
        </div>
        <div className={styles.bottom}>
          <span className={styles.line}>{row.text}</span>
        </div>
      </div>
    </RowFrame>
  );
});
