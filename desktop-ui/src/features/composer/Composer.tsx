// Where the agent writes: to the visitor, to colleagues only, or first to somebody who is not there.
// Each has its own text, look and words, so that none can be taken for another; when nothing can be
// added it says why.

import { Button } from "antd";
import { Lock, MessageSquarePlus, Send as SendIcon } from "lucide-react";
import { useId, useState } from "react";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import { type Translate, useT } from "../../i18n";
import { sendMessage, typing, useChat } from "../../stores/chat";
import { startConversation, useContacts } from "../../stores/contacts";
import { flushDrafts, useDraft, writeDraft } from "../../stores/drafts";
import {
  type ComposerMode,
  sendWhisper,
  setMode,
  useWhispers,
  writeWhisper,
} from "../../stores/whispers";
import { join } from "../../ui/join";
import styles from "./Composer.module.css";
import { Writer } from "./Writer";

interface ComposerProps {
  conversationId: string;
  head: ChatHead;
  ownId: string;
  /** Esc: the keyboard goes back to the list. */
  onLeave: () => void;
}

/** Why nothing can be said to the visitor, if so. */
export function closedReason(t: Translate, head: ChatHead, ownId: string): string | null {
  const { status, standing } = head;
  if (status.kind === "ended") return t(`workbench.closed_by_${status.by}`);
  if (standing === "invited") return t("workbench.closed_invited");
  if (standing === "watching") return t("workbench.closed_reading");
  if (!head.held || standing === "reading") return t("workbench.closed_withdrawn");
  if (status.kind === "waiting") return t("workbench.closed_waiting");
  const elsewhere = standing === "serving" && status.agent_id !== ownId;
  return elsewhere ? t("workbench.closed_withdrawn") : null;
}

export function Composer({ conversationId, head, ownId, onLeave }: ComposerProps) {
  const t = useT();
  const chosen = useWhispers((state) => state.modes[conversationId]);
  const writesFirst = useWritesFirst(head, ownId);
  const [starting, setStarting] = useState(false);
  const closed = closedReason(t, head, ownId);
  const open = head.status.kind !== "ended";
  const mode = chosen ?? (head.standing === "watching" ? "whisper" : "reply");

  if (open && mode === "whisper") {
    return (
      <Whisper
        key={`whisper:${conversationId}`}
        conversationId={conversationId}
        mayReply={closed === null}
        onLeave={onLeave}
      />
    );
  }
  if (closed === null) {
    return (
      <Reply key={`reply:${conversationId}`} conversationId={conversationId} onLeave={onLeave} />
    );
  }
  if (starting && writesFirst) {
    return (
      <Start
        key={`start:${conversationId}`}
        conversationId={conversationId}
        head={head}
        onLeave={() => setStarting(false)}
      />
    );
  }
  return (
    <div className={styles.closed} role="status" data-testid="composer-closed">
      <Unsaid conversationId={conversationId} reply={!writesFirst} whisper={!open} />
      <Lock size={16} aria-hidden="true" />
      <span>{closed}</span>
      {open && (
        <Button
          size="small"
          data-testid="whisper-open"
          onClick={() => setMode(conversationId, "whisper")}
        >
          {t("notes.whisper")}
        </Button>
      )}
      {writesFirst && (
        <Button size="small" data-testid="write-first" onClick={() => setStarting(true)}>
          {t("contacts.write_first")}
        </Button>
      )}
    </div>
  );
}

interface UnsaidProps {
  conversationId: string;
  /** Which of the two has no other way any more. */
  reply: boolean;
  whisper: boolean;
}

/** What was being written when it could no longer be sent: it is not lost, it can be read and copied. */
function Unsaid({ conversationId, ...shown }: UnsaidProps) {
  const t = useT();
  const reply = useDraft(conversationId);
  const whisper = useWhispers((state) => state.texts[conversationId] ?? "");
  const texts = [shown.reply ? reply : "", shown.whisper ? whisper : ""].filter(
    (text) => text.trim() !== "",
  );
  if (texts.length === 0) return null;
  return (
    <div className={styles.unsaid} data-testid="unsaid">
      <p>{t("workbench.unsaid")}</p>
      {texts.map((text) => (
        <blockquote key={text} dir="auto">
          {text}
        </blockquote>
      ))}
    </div>
  );
}

/** Whether one may write first (C05): it is over, and one had this visitor. */
function useWritesFirst(head: ChatHead, ownId: string): boolean {
  const isContact = useContacts(
    ({ contacts }) => contacts?.some((one) => one.visitor.id === head.visitor.id) ?? false,
  );
  const wrote = useChat(({ messages }) =>
    messages.some(({ author }) => author.kind === "agent" && author.agent_id === ownId),
  );
  return head.status.kind === "ended" && (isContact || wrote);
}

interface OneProps {
  conversationId: string;
  onLeave: () => void;
}

function Reply({ conversationId, onLeave }: OneProps) {
  const t = useT();
  const text = useDraft(conversationId);
  return (
    <Writer
      testId="composer"
      text={text}
      label={t("workbench.write")}
      placeholder={t("workbench.write_placeholder")}
      sendLabel={t("workbench.send")}
      sendIcon={<SendIcon size={16} aria-hidden="true" />}
      above={<Modes conversationId={conversationId} mode="reply" />}
      onText={(next) => {
        writeDraft(conversationId, next);
        if (next.trim() !== "") typing(conversationId);
      }}
      onSend={() => void sendMessage(conversationId, text.trim())}
      onLeave={onLeave}
      onFlush={() => void flushDrafts()}
    />
  );
}

function Whisper({ conversationId, mayReply, onLeave }: OneProps & { mayReply: boolean }) {
  const t = useT();
  const text = useWhispers((state) => state.texts[conversationId] ?? "");
  const busy = useWhispers((state) => state.sending.includes(conversationId));
  return (
    <Writer
      testId="whisper"
      text={text}
      label={t("notes.write")}
      placeholder={t("notes.placeholder")}
      sendLabel={t("notes.send")}
      sendIcon={<Lock size={15} aria-hidden="true" />}
      busy={busy}
      above={mayReply ? <Modes conversationId={conversationId} mode="whisper" /> : <OnlyWhisper />}
      {...(mayReply ? { escapes: t("notes.leave") } : {})}
      onText={(next) => writeWhisper(conversationId, next)}
      onSend={() => void sendWhisper(conversationId)}
      onLeave={() => {
        if (mayReply) setMode(conversationId, "reply");
        else onLeave();
      }}
    />
  );
}

interface StartProps extends OneProps {
  head: ChatHead;
}

function Start({ conversationId, head, onLeave }: StartProps) {
  const t = useT();
  const text = useDraft(conversationId);
  const [busy, setBusy] = useState(false);
  async function start() {
    setBusy(true);
    const started = await startConversation(head.visitor.id, text.trim(), conversationId);
    if (!started) setBusy(false);
  }
  return (
    <Writer
      testId="start"
      text={text}
      label={t("contacts.write_first")}
      placeholder={t(
        head.visitor_online ? "contacts.write_placeholder" : "contacts.write_placeholder_offline",
      )}
      sendLabel={t("contacts.start")}
      sendIcon={<MessageSquarePlus size={16} aria-hidden="true" />}
      busy={busy}
      escapes={t("common.cancel")}
      onText={(next) => writeDraft(conversationId, next)}
      onSend={() => void start()}
      onLeave={onLeave}
      onFlush={() => void flushDrafts()}
    />
  );
}

const MODES: readonly ComposerMode[] = ["reply", "whisper"];

/** To whom one writes; while it is a whisper, who can see it stands beside. */
function Modes({ conversationId, mode }: { conversationId: string; mode: ComposerMode }) {
  const t = useT();
  const group = useId();
  return (
    <div className={styles.modes}>
      <div className={styles.switch} role="radiogroup" aria-label={t("notes.mode")}>
        {MODES.map((one) => (
          <label key={one} className={join(one === mode && styles.on)} data-testid={`mode-${one}`}>
            <input
              type="radio"
              className="visually-hidden"
              name={group}
              checked={one === mode}
              onChange={() => setMode(conversationId, one)}
            />
            {one === "whisper" && <Lock size={12} aria-hidden="true" />}
            {t(`notes.${one}`)}
          </label>
        ))}
      </div>
      {mode === "whisper" && <span className={styles.seen}>{t("notes.only_staff")}</span>}
    </div>
  );
}

/** Who watches can only whisper. */
function OnlyWhisper() {
  const t = useT();
  return (
    <div className={styles.modes}>
      <span className={styles.only}>
        <Lock size={13} aria-hidden="true" />
        {t("notes.whisper")}
      </span>
      <span className={styles.seen}>{t("notes.only_staff")}</span>
    </div>
  );
}
