// One row of the list: who, how long they wait, what was said last or is being typed, what is
// unsent or unread. Blue is the open one, amber has something not yet viewed.

import { CircleAlert, Clock, Globe, Pencil } from "lucide-react";
import { memo } from "react";
import type { Author } from "../../../../shared/bindings/Author";
import type { InboxRow } from "../../../../shared/bindings/ui/InboxRow";
import { useLocale, useT } from "../../i18n";
import { rowTime } from "../../i18n/format";
import { lineOf, visitorName } from "../../i18n/words";
import { useToday } from "../../stores/clock";
import { useAgentName } from "../../stores/people";
import { useOwn } from "../../stores/session";
import { Avatar } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { Tag } from "../../ui/Tag";
import { ledgerLine } from "../attention/ledger";
import { type ConversationRowProps, RowFrame } from "./ConversationList";
import styles from "./Row.module.css";
import { WaitingClock } from "./WaitingClock";

/** Counts above this say no more than "many". */
const UNREAD_SHOWN_MAX = 99;

export const Row = memo(function Row(props: ConversationRowProps<InboxRow>) {
  const { row, current } = props;
  const t = useT();
  const locale = useLocale();
  const today = useToday();
  const fresh = row.unread > 0 && !current;
  return (
    <RowFrame
      {...props}
      conversationId={row.conversation_id}
      testId="inbox-row"
      fresh={fresh}
      absent={!row.visitor_online}
      title={row.ledger === null ? undefined : ledgerLine(t, locale, row.ledger)}
      data={{ "data-fresh": fresh, "data-unread": row.unread }}
    >
      <Avatar
        letters={row.visitor.label.slice(0, 2)}
        seed={row.visitor.id}
        size={36}
        absent={!row.visitor_online}
        mark={<Globe size={10} />}
      />
      <div className={styles.lines}>
        <div className={styles.top}>
          <span className={styles.names}>
            <span className={styles.name}>{visitorName(t, row.visitor)}</span>
            {row.vip && <Tag tone="vip">{t("workbench.vip")}</Tag>}
            {row.standing === "member" && <Tag>{t("workbench.row_member")}</Tag>}
            <span className={styles.site}>{row.visitor.site_name}</span>
          </span>
          {row.unanswered_since !== null ? (
            <WaitingClock since={row.unanswered_since} />
          ) : (
            <span className={styles.time}>{rowTime(locale, row.said.at, today)}</span>
          )}
        </div>
        <div className={styles.bottom}>
          <LastLine row={row} current={current} />
          {row.send_failed && (
            <span className={styles.failed} title={t("workbench.row_send_failed")}>
              <CircleAlert size={15} aria-hidden="true" />
              <Heard>{t("workbench.row_send_failed")}</Heard>
            </span>
          )}
          {!row.send_failed && row.unsent > 0 && (
            <span className={styles.unsent} title={t("workbench.unsent", { count: row.unsent })}>
              <Clock size={14} aria-hidden="true" />
              <Heard>{t("workbench.unsent", { count: row.unsent })}</Heard>
            </span>
          )}
          {row.unread > 0 && (
            <span className={styles.count} title={t("workbench.unread", { count: row.unread })}>
              {row.unread > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : row.unread}
              <Heard>{t("workbench.unread_word")}</Heard>
            </span>
          )}
          {!row.visitor_online && <Heard>{t("workbench.visitor_left")}</Heard>}
        </div>
      </div>
    </RowFrame>
  );
});

/** Words for those who hear the row instead of seeing its icons. */
function Heard({ children }: { children: string }) {
  return <span className="visually-hidden"> {children} </span>;
}

/** The live preview wins over the draft, the draft over what was said last. */
function LastLine({ row, current }: { row: InboxRow; current: boolean }) {
  const t = useT();
  if (row.preview !== "") {
    return (
      <span className={join(styles.line, styles.preview)}>
        <Pencil size={13} aria-hidden="true" />
        <Heard>{t("workbench.typing")}</Heard>
        {row.preview}
      </span>
    );
  }
  if (row.draft.trim() !== "" && !current) {
    return (
      <span className={styles.line}>
        <span className={styles.draft}>{t("workbench.draft")}</span>
        {row.draft}
      </span>
    );
  }
  return (
    <span className={styles.line}>
      <Said author={row.said.author} />
      {lineOf(t, row.said)}
    </span>
  );
}

/** Who of us said it: oneself or a colleague by name; nothing for anybody else. */
function Said({ author }: { author: Author }) {
  const t = useT();
  const ownId = useOwn()?.id;
  const nameOf = useAgentName();
  if (author.kind !== "agent") return null;
  if (ownId === undefined || author.agent_id === ownId) return t("workbench.row_own");
  return t("workbench.row_colleague", { name: nameOf(author.agent_id) });
}
