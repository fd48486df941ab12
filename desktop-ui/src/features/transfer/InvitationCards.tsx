// Invitations to the reader, above the lists: who asks for what, a word about it, how long it is open,
// yes and no. Reading the conversation first changes nothing.

import { Button } from "antd";
import { ArrowRightLeft, UserPlus } from "lucide-react";
import type { IncomingInvitation } from "../../../../shared/bindings/IncomingInvitation";
import { useT } from "../../i18n";
import { lineOf, visitorName } from "../../i18n/words";
import { openConversation, useChat } from "../../stores/chat";
import { answerInvitation, useInvitations } from "../../stores/invitations";
import { useAgentName } from "../../stores/people";
import { join } from "../../ui/join";
import styles from "./Bars.module.css";
import { Countdown } from "./Countdown";

export function InvitationCards() {
  const t = useT();
  const incoming = useInvitations((state) => state.incoming);
  return (
    <section
      className={join(incoming.length > 0 && styles.cards)}
      aria-label={t("transfer.incoming")}
      aria-live="assertive"
    >
      {incoming.map((one) => (
        <InvitationCard key={one.invitation.id} incoming={one} />
      ))}
    </section>
  );
}

interface InvitationCardProps {
  incoming: IncomingInvitation;
  /** Beside another module: the conversation is not one click away. */
  afar?: boolean;
}

export function InvitationCard({ incoming, afar = false }: InvitationCardProps) {
  const t = useT();
  const nameOf = useAgentName();
  const { invitation, visitor, said } = incoming;
  const { id, kind, note, conversation_id, expires_at } = invitation;
  const busy = useInvitations((state) => state.answering.includes(id));
  const open = useChat((state) => state.conversationId === conversation_id);
  const Icon = kind === "transfer" ? ArrowRightLeft : UserPlus;
  return (
    <article
      className={join(styles.card, open && styles.opened)}
      data-testid="invitation"
      data-kind={kind}
      data-conversation-id={conversation_id}
    >
      <header>
        <Icon size={15} aria-hidden="true" />
        <b>{t(`transfer.incoming_${kind}`, { name: nameOf(invitation.from) })}</b>
        {expires_at !== null && <Countdown until={expires_at} />}
      </header>
      <p className={styles.whose}>
        <span>{visitorName(t, visitor)}</span>
        {said !== null && <span className={styles.said}>{lineOf(t, said)}</span>}
      </p>
      {note !== "" && <p className={styles.word}>{note}</p>}
      <footer>
        <Button
          type="primary"
          size="small"
          loading={busy}
          data-testid="invitation-accept"
          onClick={() => void answerInvitation(incoming, true)}
        >
          {t(`transfer.accept_${kind}`)}
        </Button>
        <Button
          size="small"
          disabled={busy}
          data-testid="invitation-decline"
          onClick={() => void answerInvitation(incoming, false)}
        >
          {t("transfer.decline")}
        </Button>
        {!open && !afar && (
          <Button
            type="text"
            size="small"
            className={styles.read ?? ""}
            data-testid="invitation-read"
            onClick={() => void openConversation(conversation_id)}
          >
            {t("transfer.read")}
          </Button>
        )}
      </footer>
    </article>
  );
}
