// The head of the chat: who, in which department, who else is there, how fast the first answer was,
// how long it runs, and what one may do. Ending is at once; only where it takes something from a
// visitor who waits or from others who take part is it asked about first.

import { Button } from "antd";
import { Eye, PanelRight, Pencil, TriangleAlert, UsersRound } from "lucide-react";
import { useRef, useState } from "react";
import type { Role } from "../../../../shared/bindings/Role";
import type { ChatHead as Head } from "../../../../shared/bindings/ui/ChatHead";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { visitorName } from "../../i18n/words";
import { endConversation, useChat } from "../../stores/chat";
import { useRelayNow } from "../../stores/clock";
import { useCompanions } from "../../stores/companions";
import { useCompany, useDepartmentName } from "../../stores/company";
import { useAgentName } from "../../stores/people";
import { leaveConversation } from "../../stores/watch";
import { Avatar, initials } from "../../ui/Avatar";
import { IconButton } from "../../ui/IconButton";
import { join } from "../../ui/join";
import { Tag } from "../../ui/Tag";
import { useWidth } from "../../ui/useWidth";
import styles from "./ChatHead.module.css";
import { HeadActions, mayDo, thereAlready } from "./HeadActions";

/** Narrower than this, buttons show their icons only. Only the width decides: no button moves because
 * a colleague comes. */
const COMPACT_BELOW = 600;
/** More faces than this would push the name away. */
const FACES_MAX = 3;

interface ChatHeadProps {
  conversationId: string;
  head: Head;
  ownId: string;
  role: Role;
  sideShown: boolean;
  onToggleSide: () => void;
}

export function ChatHead(props: ChatHeadProps) {
  const { conversationId, head, ownId, role, sideShown, onToggleSide } = props;
  const t = useT();
  const bar = useRef<HTMLElement>(null);
  const compact = useWidth(bar) < COMPACT_BELOW;
  const ending = useChat((state) => state.ending);
  const unsent = useChat((state) => state.outbox.length);
  const [asking, setAsking] = useState(false);
  const endButton = useRef<HTMLButtonElement>(null);
  const may = mayDo(head, role);
  const others = head.members.length > 0;
  const asks = head.unanswered_since !== null || unsent > 0 || others;

  function end() {
    setAsking(false);
    void endConversation(conversationId);
  }

  /** Nothing ends; the keyboard is where it was. */
  function goOn() {
    setAsking(false);
    endButton.current?.focus();
  }

  return (
    <>
      <header className={styles.head} ref={bar}>
        <div className={styles.words}>
          <h2 className={styles.title}>
            <span className={styles.name}>{visitorName(t, head.visitor)}</span>
            {head.vip && <Tag tone="vip">{t("workbench.vip")}</Tag>}
            <Department id={head.department_id} />
            <span className={styles.site}>{head.visitor.site_name}</span>
          </h2>
          <p className={styles.facts}>
            <Standing head={head} ownId={ownId} />
            <FirstResponse head={head} />
            <Duration head={head} />
            <span className={styles.page} title={head.visitor.page_url}>
              {head.visitor.page_title}
            </span>
          </p>
        </div>
        <Companions head={head} />
        <HeadActions
          conversationId={conversationId}
          head={head}
          ownId={ownId}
          role={role}
          compact={compact}
        />
        {may.end && (
          <Button
            ref={endButton}
            className={styles.end ?? ""}
            data-testid="end-conversation"
            loading={ending}
            aria-expanded={asks ? asking : undefined}
            onClick={() => (asks ? setAsking(!asking) : end())}
          >
            {t("workbench.end")}
          </Button>
        )}
        <IconButton
          label={t(sideShown ? "workbench.hide_side" : "workbench.show_side")}
          aria-pressed={sideShown}
          data-testid="toggle-side"
          onClick={onToggleSide}
        >
          <PanelRight size={18} aria-hidden="true" />
        </IconButton>
      </header>
      {asking && may.end && (
        <div
          className={styles.asking}
          role="alert"
          onKeyDown={(event) => {
            if (event.key === "Escape") goOn();
          }}
        >
          <TriangleAlert size={16} aria-hidden="true" />
          <EndQuestion members={head.members} unsent={unsent} />
          {others ? (
            <Button
              size="small"
              data-testid="leave-instead"
              onClick={() => {
                setAsking(false);
                void leaveConversation(conversationId);
              }}
            >
              {t("transfer.leave_instead")}
            </Button>
          ) : (
            <Button size="small" onClick={goOn}>
              {t("workbench.go_on_talking")}
            </Button>
          )}
          <Button size="small" danger data-testid="end-conversation-confirm" onClick={end}>
            {t("workbench.end_anyway")}
          </Button>
        </div>
      )}
    </>
  );
}

function EndQuestion({ members, unsent }: { members: readonly string[]; unsent: number }) {
  const t = useT();
  const nameOf = useAgentName();
  if (unsent > 0) return <span>{t("workbench.end_with_unsent", { count: unsent })}</span>;
  if (members.length > 0) {
    const names = members.map(nameOf).join(t("workbench.names_and"));
    return <span>{t("workbench.end_with_members", { names })}</span>;
  }
  return <span>{t("workbench.end_while_waiting")}</span>;
}

function Department({ id }: { id: string | null }) {
  const nameOf = useDepartmentName();
  const count = useCompany((state) => state.company.departments.length);
  // With one department there is nothing to tell apart.
  if (id === null || count < 2) return null;
  return <Tag>{nameOf(id)}</Tag>;
}

/** Who serves it, if somebody else does, and who takes part. */
function Standing({ head, ownId }: { head: Head; ownId: string }) {
  const t = useT();
  const nameOf = useAgentName();
  const { status, members } = head;
  const others = members.filter((id) => id !== ownId).map(nameOf);
  return (
    <>
      {status.kind === "waiting" && <span className={styles.who}>{t("transfer.in_line")}</span>}
      {status.kind === "serving" && status.agent_id !== ownId && (
        <span className={styles.who} data-testid="served-by">
          {t("transfer.serving", { name: nameOf(status.agent_id) })}
        </span>
      )}
      {others.length > 0 && status.kind !== "ended" && (
        <span className={styles.who} data-testid="members">
          <UsersRound size={13} aria-hidden="true" />
          {t("transfer.members", { names: others.join(t("workbench.names_and")) })}
        </span>
      )}
    </>
  );
}

/** Who else has this conversation open, and who of them types (X10). Whoever watches it unseen stays
 * unseen (F05), but for others who watch. */
function Companions({ head }: { head: Head }) {
  const t = useT();
  const nameOf = useAgentName();
  const companions = useCompanions();
  const seen = new Set(thereAlready(head));
  const isSeen = (id: string) => head.standing === "watching" || seen.has(id);
  const typing = companions.typing.filter(isSeen);
  const ids = [...new Set([...typing, ...companions.reading.filter(isSeen)])];
  if (ids.length === 0) return null;
  const names = (some: readonly string[]) => some.map(nameOf).join(t("workbench.names_and"));
  const words = [
    ...(typing.length > 0 ? [t("transfer.typing", { name: names(typing) })] : []),
    t("transfer.reading", { names: names(ids) }),
  ].join(" · ");
  return (
    <div
      className={styles.companions}
      role="img"
      aria-label={words}
      title={words}
      data-testid="companions"
      data-typing={typing.length > 0}
    >
      {ids.slice(0, FACES_MAX).map((id) => (
        <span key={id} className={join(styles.face, typing.includes(id) && styles.types)}>
          <Avatar
            letters={initials(nameOf(id))}
            seed={id}
            size={28}
            mark={typing.includes(id) ? <Pencil size={9} /> : <Eye size={10} />}
          />
        </span>
      ))}
      {ids.length > FACES_MAX && <span className={styles.rest}>+{ids.length - FACES_MAX}</span>}
    </div>
  );
}

function FirstResponse({ head }: { head: Head }) {
  const t = useT();
  if (head.first_response_at === null) return <span>{t("workbench.first_response_none")}</span>;
  return (
    <span>
      {t("workbench.first_response")} {clock(head.first_response_at - head.started_at)}
    </span>
  );
}

function Duration({ head }: { head: Head }) {
  const t = useT();
  const now = useRelayNow();
  const until = head.status.kind === "ended" ? head.status.at : now;
  return (
    <span>
      {t("workbench.duration")} {clock(until - head.started_at)}
    </span>
  );
}
