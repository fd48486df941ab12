// Draws one item of the stream. Text is text: never markup, line breaks kept.

import { Check, CheckCheck, CircleAlert, Clock, Lock } from "lucide-react";
import { memo, type ReactNode, useEffect, useState } from "react";
import type { OutboxItem } from "../../../../shared/bindings/ui/OutboxItem";
import type { VisitorCard } from "../../../../shared/bindings/VisitorCard";
import { useLocale, useT } from "../../i18n";
import { dayName, fullTime, timeOfDay } from "../../i18n/format";
import { lineOf, problemText, visitorName } from "../../i18n/words";
import { discardSend, editUnsent, loadEarlier, retrySend, useChat } from "../../stores/chat";
import { useToday } from "../../stores/clock";
import { useConnection } from "../../stores/connection";
import { Avatar } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { LinkedText } from "../../ui/LinkedText";
import type { Mark, StreamItem } from "./items";
import styles from "./StreamItemView.module.css";

/** An unsent message is marked as such only after this: most are sent sooner (no flicker). */
const MARKED_AFTER_MS = 1_000;

interface StreamItemViewProps {
  item: StreamItem;
  visitor: VisitorCard;
}

export const StreamItemView = memo(function StreamItemView({ item, visitor }: StreamItemViewProps) {
  switch (item.kind) {
    case "top":
      return <Top />;
    case "day":
      return <Day at={item.at} />;
    case "new":
      return <NewLine />;
    case "system":
      return <System item={item} />;
    case "message":
      return item.side === "visitor" ? (
        <VisitorMessage item={item} visitor={visitor} />
      ) : (
        <StaffMessage item={item} />
      );
    case "note":
      return <NoteView item={item} />;
    case "unsent":
      return <Unsent item={item.item} first={item.first} />;
    case "echo":
      return (
        <div className={join(styles.line, styles.own, item.first && styles.first)}>
          <Bubble state="sending">{item.echo.text}</Bubble>
        </div>
      );
    case "preview":
      return <Preview item={item} visitor={visitor} />;
    case "end":
      return <div className={styles.end} />;
  }
});

/** What stands above the oldest message: more is there, is being read, could not be read, or not. */
function Top() {
  const t = useT();
  const { hasEarlier, earlier } = useChat();
  if (earlier === "failed") {
    return (
      <div className={styles.top} role="alert">
        {t("workbench.earlier_failed")}
        <button type="button" className={styles.link} onClick={() => void loadEarlier()}>
          {t("common.retry")}
        </button>
      </div>
    );
  }
  return (
    <div className={styles.top}>
      {hasEarlier ? t("workbench.earlier_loading") : t("workbench.earlier_none")}
    </div>
  );
}

function Day({ at }: { at: number }) {
  const locale = useLocale();
  const today = useToday();
  return (
    <div className={styles.center}>
      <span className={styles.day}>{dayName(locale, at, today)}</span>
    </div>
  );
}

function NewLine() {
  const t = useT();
  return (
    <div className={styles.new} data-testid="new-line">
      <span>{t("workbench.new_messages")}</span>
    </div>
  );
}

type ItemOf<K extends StreamItem["kind"]> = Extract<StreamItem, { kind: K }>;

function System({ item }: { item: ItemOf<"system"> }) {
  const t = useT();
  const locale = useLocale();
  return (
    <div
      className={styles.center}
      data-testid="message"
      data-seq={item.message.seq}
      data-client-id={item.message.client_id}
      data-state="system"
    >
      <span className={styles.system} title={fullTime(locale, item.message.at)}>
        {timeOfDay(locale, item.message.at)}
        <i aria-hidden="true">·</i>
        {lineOf(t, item.message)}
      </span>
    </div>
  );
}

function VisitorMessage({ item, visitor }: { item: ItemOf<"message">; visitor: VisitorCard }) {
  const t = useT();
  return (
    <div
      className={join(styles.line, styles.visitor, item.first && styles.first)}
      data-testid="message"
      data-seq={item.message.seq}
      data-client-id={item.message.client_id}
      data-state="received"
    >
      {item.first ? (
        <Avatar letters={visitor.label.slice(0, 2)} seed={visitor.id} size={28} />
      ) : (
        <span className={styles.noface} />
      )}
      <span className="visually-hidden">{visitorName(t, visitor)}</span>
      <Bubble>{item.text}</Bubble>
      <Time at={item.message.at} shown={item.showTime} />
    </div>
  );
}

function StaffMessage({ item }: { item: ItemOf<"message"> }) {
  const t = useT();
  return (
    <div
      className={join(styles.line, styles.own, item.first && styles.first)}
      data-testid="message"
      data-seq={item.message.seq}
      data-client-id={item.message.client_id}
      data-state={item.mark ?? "colleague"}
    >
      <span className="visually-hidden">
        {item.side === "own" ? t("workbench.me") : item.author}
      </span>
      <div className={styles.said}>
        {item.first && item.author !== "" && <span className={styles.by}>{item.author}</span>}
        <Bubble>{item.text}</Bubble>
      </div>
      <span className={styles.meta}>
        <Time at={item.message.at} shown={item.showTime} />
        {item.mark !== null && <MarkView mark={item.mark} word={item.markWord} />}
      </span>
    </div>
  );
}

/** A line among staff: its own colour, a lock, and the words that say who can see it. */
function NoteView({ item }: { item: ItemOf<"note"> }) {
  const t = useT();
  const locale = useLocale();
  const { note, own } = item;
  const author = item.author === "" ? t("workbench.colleague") : item.author;
  return (
    <div className={styles.noteline} data-testid="note" data-note-id={note.id} data-own={own}>
      <div className={styles.note}>
        <p className={styles.notehead}>
          <Lock size={13} aria-hidden="true" />
          <b>{t("notes.whisper")}</b>
          <span>
            {own ? t("notes.me") : author} · {t("notes.only_staff")}
          </span>
          <time dateTime={new Date(note.at).toISOString()} title={fullTime(locale, note.at)}>
            {timeOfDay(locale, note.at)}
          </time>
        </p>
        <div className={styles.notetext} dir="auto">
          <LinkedText text={note.text} />
        </div>
      </div>
    </div>
  );
}

function MarkView({ mark, word }: { mark: Mark; word: boolean }) {
  const t = useT();
  const words = t(`workbench.mark_${mark}`);
  return (
    <span className={join(styles.mark, styles[mark])} title={words}>
      {mark === "sent" ? (
        <Check size={14} aria-hidden="true" />
      ) : (
        <CheckCheck size={14} aria-hidden="true" />
      )}
      <span className={word ? undefined : "visually-hidden"}>{words}</span>
    </span>
  );
}

function Time({ at, shown }: { at: number; shown: boolean }) {
  const locale = useLocale();
  return (
    <time
      className={join(styles.time, shown && styles.shown)}
      dateTime={new Date(at).toISOString()}
      title={fullTime(locale, at)}
    >
      {timeOfDay(locale, at)}
    </time>
  );
}

function Bubble({ children, state }: { children: string; state?: string }) {
  return (
    <div className={styles.bubble} dir="auto" data-state={state}>
      <LinkedText text={children} />
    </div>
  );
}

/** Whether an unsent message is old enough to be marked. */
function useMarked(at: number): boolean {
  const [marked, setMarked] = useState(() => Date.now() - at >= MARKED_AFTER_MS);
  useEffect(() => {
    if (marked) return;
    const left = Math.max(0, MARKED_AFTER_MS - (Date.now() - at));
    const timer = window.setTimeout(() => setMarked(true), left);
    return () => window.clearTimeout(timer);
  }, [at, marked]);
  return marked;
}

function Unsent({ item, first }: { item: OutboxItem; first: boolean }) {
  const t = useT();
  const connected = useConnection((state) => state.connection.state === "connected");
  const marked = useMarked(item.at);
  const { kind } = item.state;
  const stuck = kind === "failed" || kind === "wedged";
  const explained = stuck || (marked && kind === "queued");
  return (
    <div
      className={join(styles.line, styles.own, first && styles.first)}
      data-testid="message"
      data-client-id={item.client_id}
      data-state={kind}
    >
      <span className="visually-hidden">{t("workbench.me")}</span>
      <div className={join(styles.said, stuck && styles.stuck)}>
        <Bubble>{item.text}</Bubble>
        {explained && (
          <span className={styles.why}>
            {stuck ? (
              <CircleAlert size={14} aria-hidden="true" />
            ) : (
              <Clock size={13} aria-hidden="true" />
            )}
            <span>
              {item.state.kind === "failed" &&
                problemText(t, { kind: "refused", code: item.state.code, retry_after_ms: null })}
              {kind === "wedged" && t("workbench.wedged")}
              {kind === "queued" &&
                t(connected ? "workbench.waits_its_turn" : "workbench.waits_for_network")}
            </span>
            <span className={styles.acts}>
              {stuck && (
                <Act onClick={() => void retrySend(item.client_id)}>{t("common.retry")}</Act>
              )}
              {item.may_discard && (
                <>
                  <Act onClick={() => void editUnsent(item)}>{t("common.edit")}</Act>
                  <Act onClick={() => void discardSend(item)}>{t("common.delete")}</Act>
                </>
              )}
            </span>
          </span>
        )}
      </div>
      {marked && !explained && (
        <span className={styles.mark}>
          <Clock size={13} aria-hidden="true" />
          {t("workbench.outbox_sending")}
        </span>
      )}
    </div>
  );
}

function Act({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className={styles.link} onClick={onClick}>
      {children}
    </button>
  );
}

function Preview({ item, visitor }: { item: ItemOf<"preview">; visitor: VisitorCard }) {
  const t = useT();
  return (
    <div
      className={join(styles.line, styles.visitor, item.first && styles.first)}
      data-testid="preview"
    >
      {item.first ? (
        <Avatar letters={visitor.label.slice(0, 2)} seed={visitor.id} size={28} />
      ) : (
        <span className={styles.noface} />
      )}
      <div className={join(styles.bubble, styles.preview)} dir="auto">
        {item.text}
      </div>
      <span className={join(styles.time, styles.shown)}>{t("workbench.typing")}</span>
    </div>
  );
}
