// What runs: the conversations one serves or takes part in, and the way to close those whose visitor
// left. When there are none, why, and what to do first.

import { Button } from "antd";
import { Coffee, MessagesSquare, MoonStar } from "lucide-react";
import { useMemo } from "react";
import { useT } from "../../i18n";
import { openConversation } from "../../stores/chat";
import { useConnection } from "../../stores/connection";
import { isRunning, useInbox } from "../../stores/inbox";
import { setAvailability, useOwn } from "../../stores/session";
import { Empty } from "../../ui/Empty";
import { ConversationList, OutOfReach } from "./ConversationList";
import { LeftBar } from "./LeftBar";
import { Row } from "./Row";

const openOne = (id: string) => void openConversation(id);

export function RunningList({ listId }: { listId: string }) {
  const t = useT();
  const all = useInbox((state) => state.rows);
  const rows = useMemo(() => all.filter(isRunning), [all]);
  if (rows.length === 0) return <EmptyInbox />;
  return (
    <>
      <ConversationList
        listId={listId}
        label={t("workbench.running")}
        rows={rows}
        Row={Row}
        onOpen={openOne}
      />
      <LeftBar />
    </>
  );
}

/** Says why nothing is here and what to do about it. */
function EmptyInbox() {
  const t = useT();
  const own = useOwn();
  const connected = useConnection((state) => state.connection.state === "connected");
  if (!connected) return <OutOfReach />;
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
