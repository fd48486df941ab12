// What one may do with the open conversation, at the right of its head: hand over, invite, end or
// leave, and behind "more" why it came here and putting it back in line. Narrow heads show icons.

import { Button } from "antd";
import { ArrowRightLeft, CircleHelp, Ellipsis, LogOut, Undo2, UserPlus } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import type { InvitationKind } from "../../../../shared/bindings/InvitationKind";
import type { Role } from "../../../../shared/bindings/Role";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import { useT } from "../../i18n";
import { useAgentName } from "../../stores/people";
import { handBack, leaveConversation } from "../../stores/watch";
import { IconButton } from "../../ui/IconButton";
import { Menu } from "../../ui/Menu";
import styles from "./ChatHead.module.css";

const InviteDialog = lazy(() => import("../transfer/InviteDialog"));
const WhyDialog = lazy(() => import("../explain/WhyDialog"));

interface HeadActionsProps {
  conversationId: string;
  head: ChatHead;
  ownId: string;
  role: Role;
  compact: boolean;
}

/** What the reader may do: the relay decides, this only keeps doors away that would not open. */
export function mayDo(head: ChatHead, role: Role) {
  const running = head.status.kind === "serving";
  const takesPart = running && (head.standing === "serving" || head.standing === "member");
  const serves = running && head.standing === "serving";
  return {
    invite: takesPart,
    end: serves,
    leave: takesPart && head.members.length > 0,
    handBack: serves || (running && role !== "agent"),
  };
}

/** Who takes part, or is asked to. */
export function thereAlready({ status, members, invitations }: ChatHead): string[] {
  const asked = invitations.flatMap(({ to, offered_to }) =>
    to.kind === "agent" ? [to.agent_id] : (offered_to ?? []),
  );
  return [...(status.kind === "serving" ? [status.agent_id] : []), ...members, ...asked];
}

export function HeadActions(props: HeadActionsProps) {
  const { conversationId, head, ownId, role, compact } = props;
  const t = useT();
  const nameOf = useAgentName();
  const [inviting, setInviting] = useState<InvitationKind | null>(null);
  const [asking, setAsking] = useState(false);
  const may = mayDo(head, role);
  const serving = head.status.kind === "serving" ? head.status.agent_id : null;
  const why =
    serving === null
      ? t("explain.why")
      : serving === ownId
        ? t("explain.why_me")
        : t("explain.why_other", { name: nameOf(serving) });
  const more = [
    {
      key: "why",
      icon: <CircleHelp size={16} />,
      label: <span data-testid="why-open">{why}</span>,
      onClick: () => setAsking(true),
    },
    ...(may.handBack
      ? [
          {
            key: "hand_back",
            icon: <Undo2 size={16} />,
            label: (
              <span data-testid="hand-back" title={t("transfer.hand_back_ask")}>
                {t("transfer.hand_back")}
              </span>
            ),
            onClick: () => void handBack(conversationId),
          },
        ]
      : []),
    ...(may.leave && may.end
      ? [
          {
            key: "leave",
            icon: <LogOut size={16} />,
            label: <span data-testid="leave">{t("transfer.leave")}</span>,
            onClick: () => void leaveConversation(conversationId),
          },
        ]
      : []),
  ];
  return (
    <>
      {may.invite && (
        <>
          <Act
            compact={compact}
            label={t("transfer.transfer")}
            icon={<ArrowRightLeft size={15} aria-hidden="true" />}
            testId="transfer"
            onClick={() => setInviting("transfer")}
          />
          <Act
            compact={compact}
            label={t("transfer.invite")}
            icon={<UserPlus size={15} aria-hidden="true" />}
            testId="invite"
            onClick={() => setInviting("join")}
          />
        </>
      )}
      <Menu placement="bottomRight" items={more}>
        <IconButton label={t("workbench.more")} aria-haspopup="menu" data-testid="chat-more">
          <Ellipsis size={18} aria-hidden="true" />
        </IconButton>
      </Menu>
      {may.leave && !may.end && (
        <Button data-testid="leave" onClick={() => void leaveConversation(conversationId)}>
          {t("transfer.leave_short")}
        </Button>
      )}
      <Suspense>
        {inviting !== null && (
          <InviteDialog
            conversationId={conversationId}
            head={head}
            kind={inviting}
            without={[ownId, ...thereAlready(head)]}
            onClose={() => setInviting(null)}
          />
        )}
        {asking && <WhyDialog conversationId={conversationId} onClose={() => setAsking(false)} />}
      </Suspense>
    </>
  );
}

interface ActProps {
  compact: boolean;
  label: string;
  icon: ReactNode;
  testId: string;
  onClick: () => void;
}

function Act({ compact, label, icon, testId, onClick }: ActProps) {
  if (compact) {
    return (
      <IconButton label={label} data-testid={testId} className={styles.bordered} onClick={onClick}>
        {icon}
      </IconButton>
    );
  }
  return (
    <Button icon={icon} data-testid={testId} onClick={onClick}>
      {label}
    </Button>
  );
}
