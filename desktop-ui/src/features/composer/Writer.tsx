// The field of the composer: it grows to eight lines, sends by the chosen key and never by an input
// method's Enter. It knows nothing of where its text goes; how it looks says so.

import { Button } from "antd";
import { ChevronDown } from "lucide-react";
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
} from "react";
import type { SendKey } from "../../../../shared/bindings/ui/SendKey";
import { useT } from "../../i18n";
import { setPreferences, usePreferences } from "../../stores/preferences";
import type { Composed } from "../../ui/inputMethod";
import { join } from "../../ui/join";
import { Menu } from "../../ui/Menu";
import styles from "./Composer.module.css";
import { meaningOf } from "./keys";

/** As the relay demands (limits of the protocol): Unicode characters, not UTF-16 units. */
const TEXT_CHARS_MAX = 4_000;
/** From here on the counter is shown. */
const COUNTER_FROM = 3_600;

interface WriterProps {
  /** Names the field and, with `-send`, its button in tests; replies keep the plain names. */
  testId: "composer" | "whisper" | "start";
  text: string;
  /** What the field is, for those who do not see it. */
  label: string;
  placeholder: string;
  sendLabel: string;
  sendIcon: ReactNode;
  /** On its way: it can be written on, and not sent again. */
  busy?: boolean;
  /** Above the field: to whom one writes. */
  above?: ReactNode;
  /** What Esc does, in words; nothing for "back to the list". */
  escapes?: string;
  onText: (text: string) => void;
  onSend: () => void;
  /** Esc. */
  onLeave: () => void;
  /** What was written must outlive the window. */
  onFlush?: () => void;
}

export function Writer(props: WriterProps) {
  const { testId, text, busy = false, above, escapes, onText, onSend, onLeave, onFlush } = props;
  const t = useT();
  const sendKey = usePreferences((state) => state.preferences.send_key);
  const field = useRef<HTMLTextAreaElement>(null);
  const composed = useRef<Composed | null>(null);
  const length = text.length < COUNTER_FROM ? text.length : [...text].length;
  const tooLong = length > TEXT_CHARS_MAX;
  const ready = text.trim() !== "" && !tooLong && !busy;

  useGrowing(field, text);
  useFlush(onFlush);
  useEffect(() => {
    const area = field.current;
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);

  function send() {
    if (!ready) return;
    onSend();
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    const meaning = meaningOf(pressOf(event), sendKey, composed.current);
    if (meaning === "none") return;
    event.preventDefault();
    if (meaning === "send") send();
    else if (meaning === "leave") onLeave();
    else insertBreak(event.currentTarget, onText);
  }

  return (
    <div className={join(styles.composer, testId === "whisper" && styles.whisper)}>
      {above}
      <textarea
        ref={field}
        className={styles.field}
        data-testid={testId}
        rows={1}
        dir="auto"
        value={text}
        aria-label={props.label}
        aria-invalid={tooLong}
        placeholder={props.placeholder}
        onChange={(event) => onText(event.target.value)}
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
          {escapes !== undefined && (
            <>
              <kbd>Esc</kbd>
              {escapes}
            </>
          )}
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
          className={styles.send ?? ""}
          data-testid={testId === "composer" ? "send" : `${testId}-send`}
          disabled={!ready && !busy}
          loading={busy}
          icon={props.sendIcon}
          onClick={send}
        >
          {props.sendLabel}
        </Button>
      </div>
    </div>
  );
}

/** Hands the text over when the window is left, or the field. */
function useFlush(onFlush: (() => void) | undefined) {
  const flush = useRef(onFlush);
  flush.current = onFlush;
  useEffect(() => {
    const now = () => flush.current?.();
    window.addEventListener("blur", now);
    window.addEventListener("pagehide", now);
    return () => {
      window.removeEventListener("blur", now);
      window.removeEventListener("pagehide", now);
      now();
    };
  }, []);
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
function useGrowing(field: RefObject<HTMLTextAreaElement | null>, text: string) {
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
