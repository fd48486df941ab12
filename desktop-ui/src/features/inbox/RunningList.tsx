// What runs: the conversations one serves or takes part in, and the way to close those whose visitor
// left. When there are none, why, and what to do first.

import { Button } from "antd";
import { Coffee, MessagesSquare, MoonStar, WifiOff } from "lucide-react";
import { useCallback, useMemo } from "react";
import { useT } from "../../i18n";
import { openConversation, useChat } from "../../stores/chat";
import { useConnection } from "../../stores/connection";
import { isRunning, useInbox } from "../../stores/inbox";
import { setAvailability, useOwn } from "../../stores/session";
import { Empty } from "../../ui/Empty";
import { RowList } from "../../ui/RowList";
import { LeftBar } from "./LeftBar";
import { Row } from "./Row";

const ROW_HEIGHT = 62;

export function RunningList({ listId }: { listId: string }) {
  const t = useT();
  const all = useInbox((state) => state.rows);
  const rows = useMemo(() => all.filter(isRunning), [all]);
  const open = useChat((state) => state.conversationId);
  const onOpen = useCallback((id: string) => void openConversation(id), []);
  if (rows.length === 0) return <EmptyInbox />;
  return (
    <>
      <RowList
        id={listId}
        label={t("workbench.running")}
        rows={rows}
        rowHeight={ROW_HEIGHT}
        keyOf={(row) => row.conversation_id}
        open={open}
        onOpen={onOpen}
      >
        {(row, place) => (
          <Row
            key={row.conversation_id}
            id={place.id}
            row={row}
            current={row.conversation_id === open}
            cursor={place.cursor}
            onOpen={onOpen}
          />
        )}
      </RowList>
      <LeftBar />
    </>
  );
}

/** Says why nothing is here and what to do about it. */
function EmptyInbox() {
  const t = useT();
  const own = useOwn();
  const connected = useConnection((state) => state.connection.state === "connected");
  if (!connected) {
    return (
      <Empty
        icon={<WifiOff size={26} />}
        title={t("workbench.inbox_empty_offline")}
        text={t("workbench.inbox_empty_offline_text")}
      />
    );
  }
  if (own !== null && own.availability !== "online") {
    const away = own.availability === "away";
    return (
      <Empty
        icon={away ? <Coffee size={26} /> : <MoonStar size={26} />}
        title={t(away ? "away.empty" : "workbench.inbox_empty_busy")}
        text={t(away ? "away.empty_text" : "workbench.inbox_empty_busy_text")}
        action={
          <Button type="primary" onClick={() => void setAvailability("online")}>
            {t("workbench.go_online")}
          </Button>
        }
      />
    );
  }
  return (
    <Empty
      icon={<MessagesSquare size={26} />}
      title={t("workbench.inbox_empty")}
      text={t("workbench.inbox_empty_text")}
    />
  );
}
