// What stands between the head of a chat and its messages: that it is watched and what a manager may
// do, an invitation to the reader, and the invitations that are still open.

import { Button } from "antd";
import { DoorOpen, Eye, Hand, Hourglass } from "lucide-react";
import type { Invitation } from "../../../../shared/bindings/Invitation";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import { useT } from "../../i18n";
import { useDepartmentName } from "../../stores/company";
import { answerInvitation, useInvitations, withdrawInvitation } from "../../stores/invitations";
import { useAgentName } from "../../stores/people";
import { enterConversation, stopWatching, takeOver } from "../../stores/watch";
import { join } from "../../ui/join";
import styles from "./Bars.module.css";
import { Countdown } from "./Countdown";

interface ChatBarsProps {
  conversationId: string;
  head: ChatHead;
  ownId: string;
}

export function ChatBars({ conversationId, head, ownId }: ChatBarsProps) {
  const incoming = useInvitations((state) =>
    state.incoming.find((one) => one.invitation.conversation_id === conversationId),
  );
  return (
    <>
      {head.standing === "watching" && <WatchBar conversationId={conversationId} head={head} />}
      {incoming !== undefined && <AskedBar incoming={incoming} />}
      {head.invitations
        .filter((one) => one.id !== incoming?.invitation.id)
        .map((one) => (
          <OpenBar key={one.id} invitation={one} ownId={ownId} />
        ))}
    </>
  );
}

function WatchBar({ conversationId, head }: { conversationId: string; head: ChatHead }) {
  const t = useT();
  const over = head.status.kind === "ended";
  return (
    <div className={join(styles.bar, styles.watching)} role="status" data-testid="watch-bar">
      <Eye size={16} aria-hidden="true" />
      <b>{t("transfer.watching")}</b>
      <span className={styles.grow}>
        <span>{t("transfer.watching_means")}</span>
      </span>
      {head.status.kind === "serving" && (
        <Button
          size="small"
          icon={<DoorOpen size={14} aria-hidden="true" />}
          title={t("transfer.enter_means")}
          data-testid="watch-enter"
          onClick={() => void enterConversation(conversationId)}
        >
          {t("transfer.enter")}
        </Button>
      )}
      {!over && (
        <Button
          size="small"
          icon={<Hand size={14} aria-hidden="true" />}
          title={t("transfer.take_over_means")}
          data-testid="watch-take-over"
          onClick={() => void takeOver(conversationId)}
        >
          {t("transfer.take_over")}
        </Button>
      )}
      <Button type="text" size="small" data-testid="watch-end" onClick={stopWatching}>
        {t("transfer.watch_end")}
      </Button>
    </div>
  );
}

function AskedBar({ incoming }: { incoming: Parameters<typeof answerInvitation>[0] }) {
  const t = useT();
  const nameOf = useAgentName();
  const { invitation } = incoming;
  const busy = useInvitations((state) => state.answering.includes(invitation.id));
  return (
    <div className={join(styles.bar, styles.asked)} data-testid="asked-bar">
      <Hourglass size={16} aria-hidden="true" />
      <span className={styles.grow}>
        <b>{t(`transfer.incoming_${invitation.kind}`, { name: nameOf(invitation.from) })}</b>
        {invitation.note !== "" && <span className={styles.told}>{invitation.note}</span>}
      </span>
      {invitation.expires_at !== null && <Countdown until={invitation.expires_at} />}
      <Button size="small" disabled={busy} onClick={() => void answerInvitation(incoming, false)}>
        {t("transfer.decline")}
      </Button>
      <Button
        type="primary"
        size="small"
        loading={busy}
        onClick={() => void answerInvitation(incoming, true)}
      >
        {t(`transfer.accept_${invitation.kind}`)}
      </Button>
    </div>
  );
}

function OpenBar({ invitation, ownId }: { invitation: Invitation; ownId: string }) {
  const t = useT();
  const nameOf = useAgentName();
  const departmentOf = useDepartmentName();
  const { to, offered_to, expires_at, kind, from } = invitation;
  const name = to.kind === "agent" ? nameOf(to.agent_id) : departmentOf(to.department_id);
  const who =
    offered_to === null
      ? t("transfer.sent_looking")
      : t("transfer.sent_offered", { name: nameOf(offered_to) });
  return (
    <div className={join(styles.bar, styles.open)} role="status" data-testid="open-invitation">
      <Hourglass size={16} aria-hidden="true" />
      <span className={styles.grow}>
        <b>{t(`transfer.sent_${kind}`, { name })}</b>
        {to.kind === "department" && <span className={styles.told}>{who}</span>}
        {from !== ownId && (
          <span className={styles.told}>{t("transfer.by", { name: nameOf(from) })}</span>
        )}
        {invitation.note !== "" && <span className={styles.told}>{invitation.note}</span>}
      </span>
      {expires_at !== null && <Countdown until={expires_at} />}
      {from === ownId && (
        <Button
          size="small"
          data-testid="withdraw-invitation"
          onClick={() => void withdrawInvitation(invitation.id)}
        >
          {t("transfer.withdraw")}
        </Button>
      )}
    </div>
  );
}
