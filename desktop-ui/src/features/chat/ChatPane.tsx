// The chat pane: head, stream and whatever the view puts below it. While a conversation is being
// read it shows its shape, and only if that takes long enough to be noticed.

import { Button } from "antd";
import { CircleAlert, MessageSquareText } from "lucide-react";
import type { ReactNode } from "react";
import type { OwnCard } from "../../../../shared/bindings/OwnCard";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { reopenConversation, useChat } from "../../stores/chat";
import { useInbox } from "../../stores/inbox";
import { Empty } from "../../ui/Empty";
import { Mark } from "../../ui/Mark";
import { ChatBars } from "../transfer/ChatBars";
import { ChatHead } from "./ChatHead";
import styles from "./ChatPane.module.css";
import { Stream } from "./Stream";

interface ChatPaneProps {
  own: OwnCard;
  sideShown: boolean;
  onToggleSide: () => void;
  /** What stands below the stream of an open conversation. */
  children: ReactNode;
}

export function ChatPane({ own, sideShown, onToggleSide, children }: ChatPaneProps) {
  const t = useT();
  const { conversationId, phase, head, problem } = useChat();
  const nobody = useInbox((state) => state.rows.length === 0);
  return (
    <section className={styles.pane} aria-label={t("workbench.chat")}>
      {conversationId === null && (
        <>
          <div className={styles.nohead} />
          {nobody ? (
            <Empty
              icon={<Mark size={30} />}
              title={t("workbench.chat_nobody")}
              text={t("workbench.chat_nobody_text")}
            />
          ) : (
            <Empty
              icon={<MessageSquareText size={26} />}
              title={t("workbench.chat_none")}
              text={t("workbench.chat_none_text")}
            />
          )}
        </>
      )}
      {conversationId !== null && head !== null && (
        <ChatHead
          key={`head:${conversationId}`}
          conversationId={conversationId}
          head={head}
          ownId={own.id}
          role={own.role}
          sideShown={sideShown}
          onToggleSide={onToggleSide}
        />
      )}
      {conversationId !== null && head === null && <div className={styles.nohead} />}
      {conversationId !== null && head !== null && (
        <ChatBars conversationId={conversationId} head={head} ownId={own.id} />
      )}
      {phase === "opening" && <Skeleton />}
      {phase === "failed" && problem !== null && (
        <Empty
          icon={<CircleAlert size={26} />}
          title={t("workbench.chat_failed")}
          text={problemText(t, problem)}
          action={<Button onClick={() => void reopenConversation()}>{t("common.retry")}</Button>}
        />
      )}
      {phase === "open" && conversationId !== null && head !== null && (
        <Stream
          key={`stream:${conversationId}`}
          conversationId={conversationId}
          head={head}
          ownId={own.id}
        />
      )}
      {phase === "open" && children}
    </section>
  );
}

function Skeleton() {
  const t = useT();
  return (
    <div className={styles.skeleton} role="status" aria-label={t("workbench.chat_opening")}>
      <i />
      <i />
      <i />
    </div>
  );
}
