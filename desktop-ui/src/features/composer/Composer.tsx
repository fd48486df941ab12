// Where the agent writes. It grows to eight lines, sends by the chosen key and never by an input
// method's Enter, keeps a draft per conversation, and when nothing can be added says why.

import { Button } from "antd";
import { ChevronDown, Lock, Send as SendIcon } from "lucide-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef } from "react";
import type { ChatHead } from "../../../../shared/bindings/ui/ChatHead";
import type { SendKey } from "../../../../shared/bindings/ui/SendKey";
import { type Translate, useT } from "../../i18n";
import { sendMessage, typing } from "../../stores/chat";
import { flushDrafts, useDraft, writeDraft } from "../../stores/drafts";
import { setPreferences, usePreferences } from "../../stores/preferences";
import { join } from "../../ui/join";
import { Menu } from "../../ui/Menu";
import styles from "./Composer.module.css";
import { type Composed, meaningOf } from "./keys";

/** As the relay demands (limits of the protocol): Unicode characters, not UTF-16 units. */
const TEXT_CHARS_MAX = 4_000;
/** From here on the counter is shown. */
const COUNTER_FROM = 3_600;

interface ComposerProps {
  conversationId: string;
  head: ChatHead;
  ownId: string;
  /** Esc: the keyboard goes back to the list. */
  onLeave: () => void;
}

/** Why nothing can be added, if so. */
function closedReason(t: Translate, head: ChatHead, ownId: string): string | null {
  const { status } = head;
  if (status.kind === "ended") {
    return t(status.by === "visitor" ? "workbench.closed_by_visitor" : "workbench.closed_by_agent");
  }
  if (!head.held) return t("workbench.closed_withdrawn");
  if (status.kind === "waiting") return t("workbench.closed_waiting");
  return status.agent_id === ownId ? null : t("workbench.closed_withdrawn");
}

export function Composer({ conversationId, head, ownId, onLeave }: ComposerProps) {
  const t = useT();
  const closed = closedReason(t, head, ownId);
  if (closed !== null) {
    return (
      <div className={styles.closed} role="status" data-testid="composer-closed">
        <Lock size={16} aria-hidden="true" />
        {closed}
      </div>
    );
  }
  return <Open key={conversationId} conversationId={conversationId} onLeave={onLeave} />;
}

function Open({ conversationId, onLeave }: { conversationId: string; onLeave: () => void }) {
  const t = useT();
  const text = useDraft(conversationId);
  const sendKey = usePreferences((state) => state.preferences.send_key);
  const field = useRef<HTMLTextAreaElement>(null);
  const composed = useRef<Composed | null>(null);
  const length = text.length < COUNTER_FROM ? text.length : [...text].length;
  const tooLong = length > TEXT_CHARS_MAX;
  const ready = text.trim() !== "" && !tooLong;

  useGrowing(field, text);
  useEffect(() => {
    const area = field.current;
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
    const flush = () => void flushDrafts();
    window.addEventListener("blur", flush);
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("blur", flush);
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, []);

  function send() {
    if (!ready) return;
    void sendMessage(conversationId, text.trim());
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    const meaning = meaningOf(pressOf(event), sendKey, composed.current);
    if (meaning === "none") return;
    event.preventDefault();
    if (meaning === "send") send();
    else if (meaning === "leave") onLeave();
    else insertBreak(event.currentTarget, (next) => writeDraft(conversationId, next));
  }

  return (
    <div className={styles.composer}>
      <textarea
        ref={field}
        className={styles.field}
        data-testid="composer"
        rows={1}
        dir="auto"
        value={text}
        aria-label={t("workbench.write")}
        aria-invalid={tooLong}
        placeholder={t("workbench.write_placeholder")}
        onChange={(event) => {
          writeDraft(conversationId, event.target.value);
          if (event.target.value.trim() !== "") typing(conversationId);
        }}
        onKeyDown={onKeyDown}
        onKeyUp={() => {
          if (composed.current !== null) composed.current.released = true;
        }}
        onCompositionStart={() => {
          composed.current = null;
        }}
        onCompositionEnd={(event) => {
          composed.current = { at: event.nativeEvent.timeStamp, released: false };
        }}
      />
      <div className={styles.bar}>
        <span className={styles.hint}>
          <kbd>{sendKey === "enter" ? "Shift Enter" : "Enter"}</kbd>
          {t("workbench.breaks_line")}
        </span>
        {length >= COUNTER_FROM && (
          <span
            className={join(styles.counter, tooLong && styles.over)}
            role={tooLong ? "alert" : undefined}
            data-testid="counter"
          >
            {tooLong
              ? t("workbench.too_long", { count: length - TEXT_CHARS_MAX })
              : `${length} / ${TEXT_CHARS_MAX}`}
          </span>
        )}
        <SendKeyMenu sendKey={sendKey} />
        <Button
          type="primary"
          data-testid="send"
          disabled={!ready}
          icon={<SendIcon size={16} aria-hidden="true" />}
          onClick={send}
        >
          {t("workbench.send")}
        </Button>
      </div>
    </div>
  );
}

function pressOf(event: KeyboardEvent<HTMLTextAreaElement>) {
  const { key, shiftKey, ctrlKey, metaKey, altKey, repeat, nativeEvent } = event;
  const { keyCode, isComposing, timeStamp } = nativeEvent;
  return { key, keyCode, isComposing, repeat, shiftKey, ctrlKey, metaKey, altKey, timeStamp };
}

/** Ctrl+Enter breaks the line where Enter sends; the platform does not do it by itself. */
function insertBreak(area: HTMLTextAreaElement, write: (text: string) => void) {
  const { selectionStart, selectionEnd, value } = area;
  write(`${value.slice(0, selectionStart)}\n${value.slice(selectionEnd)}`);
  requestAnimationFrame(() => area.setSelectionRange(selectionStart + 1, selectionStart + 1));
}

/** Grows with its text; the style sheet sets the most. */
function useGrowing(field: React.RefObject<HTMLTextAreaElement | null>, text: string) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text decides the height
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "0";
    area.style.height = `${area.scrollHeight}px`;
  }, [field, text]);
}

const SEND_KEYS: readonly SendKey[] = ["enter", "ctrl_enter"];

function SendKeyMenu({ sendKey }: { sendKey: SendKey }) {
  const t = useT();
  return (
    <Menu
      placement="topRight"
      items={SEND_KEYS.map((key) => ({ key, label: t(`workbench.send_by_${key}`) }))}
      selected={sendKey}
      onChoose={(key) => setPreferences({ send_key: key as SendKey })}
    >
      <button
        type="button"
        className={styles.sendkey}
        data-testid="send-key"
        aria-haspopup="menu"
        aria-label={t("workbench.send_key_is", { key: t(`workbench.send_by_${sendKey}`) })}
      >
        {t(`workbench.send_by_${sendKey}`)}
        <ChevronDown size={14} aria-hidden="true" />
      </button>
    </Menu>
  );
}
