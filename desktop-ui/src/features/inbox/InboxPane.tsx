// The list of running conversations: one tab stop, arrows move through it, Enter opens. Rows are
// drawn only where they are seen.

import { Button } from "antd";
import { MessagesSquare, MoonStar, WifiOff } from "lucide-react";
import { type KeyboardEvent, useCallback, useId, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import { useT } from "../../i18n";
import { openConversation, useChat } from "../../stores/chat";
import { useConnection } from "../../stores/connection";
import { useInbox } from "../../stores/inbox";
import { setAvailability, useOwn } from "../../stores/session";
import { Empty } from "../../ui/Empty";
import styles from "./InboxPane.module.css";
import { Row } from "./Row";

const ROW_HEIGHT = 62;
/** Where Esc in the composer goes back to. */
const LIST_ID = "inbox-list";

/** Puts the keyboard into the list. */
export function focusInbox(): void {
  document.getElementById(LIST_ID)?.focus();
}

export function InboxPane() {
  const t = useT();
  const heading = useId();
  const count = useInbox((state) => state.rows.length);
  return (
    <section className={styles.pane} aria-labelledby={heading}>
      <header className={styles.head}>
        <h2 id={heading} className={styles.tab}>
          {t("workbench.running")}
          <span className={styles.count} data-testid="inbox-count">
            {count}
          </span>
        </h2>
      </header>
      {count === 0 ? <EmptyInbox /> : <List label={t("workbench.running")} />}
    </section>
  );
}

function List({ label }: { label: string }) {
  const rows = useInbox((state) => state.rows);
  const open = useChat((state) => state.conversationId);
  const list = useRef<VListHandle>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [focused, setFocused] = useState(false);
  const onOpen = useCallback((id: string) => {
    setCursor(id);
    void openConversation(id);
  }, []);

  const at = Math.max(
    0,
    rows.findIndex((row) => row.conversation_id === (cursor ?? open)),
  );

  function onKeyDown(event: KeyboardEvent) {
    const page = Math.max(1, Math.floor((list.current?.viewportSize ?? 0) / ROW_HEIGHT) - 1);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    const row = rows[at];
    if (to !== undefined) {
      event.preventDefault();
      const index = Math.min(rows.length - 1, Math.max(0, to));
      setCursor(rows[index]?.conversation_id ?? null);
      list.current?.scrollToIndex(index, { align: "nearest" });
    } else if ((event.key === "Enter" || event.key === " ") && row !== undefined) {
      event.preventDefault();
      onOpen(row.conversation_id);
    }
  }

  return (
    <VList
      ref={list}
      id={LIST_ID}
      className={styles.list ?? ""}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={
        rows[at] === undefined ? undefined : `inbox-row-${rows[at].conversation_id}`
      }
      data={rows}
      itemSize={ROW_HEIGHT}
      onKeyDown={onKeyDown}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      {(row, index) => (
        <Row
          key={row.conversation_id}
          row={row}
          current={row.conversation_id === open}
          cursor={focused && index === at}
          onOpen={onOpen}
        />
      )}
    </VList>
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
  if (own?.availability === "busy") {
    return (
      <Empty
        icon={<MoonStar size={26} />}
        title={t("workbench.inbox_empty_busy")}
        text={t("workbench.inbox_empty_busy_text")}
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
