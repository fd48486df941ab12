// The head of the chat: who, how fast the first answer was, how long it runs, where it began, and
// the way to end it. Ending is at once; only a visitor who still waits is asked about first.

import { Button } from "antd";
import { PanelRight, TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { ChatHead as Head } from "../../../../shared/bindings/ui/ChatHead";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { visitorName } from "../../i18n/words";
import { endConversation, useChat } from "../../stores/chat";
import { useRelayNow } from "../../stores/clock";
import { IconButton } from "../../ui/IconButton";
import styles from "./ChatHead.module.css";

interface ChatHeadProps {
  conversationId: string;
  head: Head;
  sideShown: boolean;
  onToggleSide: () => void;
}

export function ChatHead({ conversationId, head, sideShown, onToggleSide }: ChatHeadProps) {
  const t = useT();
  const ending = useChat((state) => state.ending);
  const unsent = useChat((state) => state.outbox.length);
  const [asking, setAsking] = useState(false);
  const mayEnd = head.held && head.status.kind !== "ended";
  const waits = head.unanswered_since !== null || unsent > 0;

  function end() {
    setAsking(false);
    void endConversation(conversationId);
  }

  return (
    <>
      <header className={styles.head}>
        <div className={styles.words}>
          <h2 className={styles.title}>
            <span className={styles.name}>{visitorName(t, head.visitor)}</span>
            <span className={styles.site}>{head.visitor.site_name}</span>
          </h2>
          <p className={styles.facts}>
            <FirstResponse head={head} />
            <Duration head={head} />
            <span className={styles.page} title={head.visitor.page_url}>
              {head.visitor.page_title}
            </span>
          </p>
        </div>
        {mayEnd && (
          <Button
            className={styles.end ?? ""}
            data-testid="end-conversation"
            loading={ending}
            aria-expanded={waits ? asking : undefined}
            onClick={() => (waits ? setAsking(!asking) : end())}
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
      {asking && mayEnd && (
        <div className={styles.asking} role="alert">
          <TriangleAlert size={16} aria-hidden="true" />
          <span>
            {unsent > 0
              ? t("workbench.end_with_unsent", { count: unsent })
              : t("workbench.end_while_waiting")}
          </span>
          <Button size="small" onClick={() => setAsking(false)}>
            {t("workbench.go_on_talking")}
          </Button>
          <Button size="small" danger data-testid="end-conversation-confirm" onClick={end}>
            {t("workbench.end_anyway")}
          </Button>
        </div>
      )}
    </>
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
