// 最近联系人 (C05): the last fifty visitors one served. Colour is here, grey is gone. Opening one shows
// what was said; writing first starts a conversation.

import { Button } from "antd";
import { CircleAlert, Globe, UsersRound } from "lucide-react";
import { memo, useEffect } from "react";
import type { RecentContact } from "../../../../shared/bindings/RecentContact";
import { useLocale, useT } from "../../i18n";
import { rowTime } from "../../i18n/format";
import { problemText, visitorName } from "../../i18n/words";
import { openConversation } from "../../stores/chat";
import { useToday } from "../../stores/clock";
import { useConnection } from "../../stores/connection";
import { readContacts, useContacts } from "../../stores/contacts";
import { Avatar } from "../../ui/Avatar";
import { Empty } from "../../ui/Empty";
import { join } from "../../ui/join";
import { Rows } from "../../ui/Rows";
import { ConversationList, type ConversationRowProps, RowFrame } from "./ConversationList";
import styles from "./Row.module.css";

const openOne = (id: string) => void openConversation(id);
/** Who is here changes; the list is asked for again this often while it is shown. */
const READ_EVERY_MS = 20_000;

function useReading(): void {
  const connected = useConnection((state) => state.connection.state === "connected");
  useEffect(() => {
    void readContacts();
    if (!connected) return;
    const timer = window.setInterval(() => void readContacts(), READ_EVERY_MS);
    return () => window.clearInterval(timer);
  }, [connected]);
}

export function ContactsList({ listId }: { listId: string }) {
  const t = useT();
  useReading();
  const { contacts, problem } = useContacts();
  if (contacts === null) {
    if (problem === null) return <Rows label={t("contacts.loading")} />;
    return (
      <Empty
        icon={<CircleAlert size={26} />}
        title={t("contacts.failed")}
        text={problemText(t, problem)}
        action={<Button onClick={() => void readContacts()}>{t("common.retry")}</Button>}
      />
    );
  }
  if (contacts.length === 0) {
    return (
      <Empty
        icon={<UsersRound size={26} />}
        title={t("contacts.empty")}
        text={t("contacts.empty_text")}
      />
    );
  }
  return (
    <ConversationList
      listId={listId}
      label={t("workbench.tab_recent")}
      rows={contacts}
      Row={ContactRow}
      onOpen={openOne}
    />
  );
}

const ContactRow = memo(function ContactRow(props: ConversationRowProps<RecentContact>) {
  const t = useT();
  const locale = useLocale();
  const today = useToday();
  const { row: contact } = props;
  const { visitor, online, is_open } = contact;
  return (
    <RowFrame
      {...props}
      conversationId={contact.conversation_id}
      testId="contact-row"
      absent={!online}
      data={{ "data-online": online }}
    >
      <Avatar
        letters={visitor.label.slice(0, 2)}
        seed={visitor.id}
        size={36}
        absent={!online}
        mark={<Globe size={10} />}
      />
      <div className={styles.lines}>
        <div className={styles.top}>
          <span className={styles.name}>{visitorName(t, visitor)}</span>
          <span className={join(styles.site, online && styles.here)}>
            {t(is_open ? "contacts.open_now" : online ? "contacts.online" : "contacts.offline")}
          </span>
          <span className={styles.time}>{rowTime(locale, contact.last_at, today)}</span>
        </div>
        <div className={styles.bottom}>
          <span className={styles.line}>{contact.text}</span>
        </div>
      </div>
    </RowFrame>
  );
});
