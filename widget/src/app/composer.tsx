// Where the visitor writes. Grows to five lines, keeps the draft over a reload of the tab, tells the
// client what is being typed.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useTools } from "./context";
import { EyeIcon, SendIcon } from "./icons";
import { TEXT_CHARS_MAX } from "./protocol";
import { isInputMethods, sends } from "./send_key";

interface ComposerProps {
  draft: string;
  onDraft: (draft: string) => void;
  has_preview: boolean;
  /** The site's online service is off: what is written stays, and nothing goes. */
  is_closed: boolean;
  is_shown: boolean;
  /** A keyboard that covers the chat should not rise by itself. */
  may_focus: boolean;
}

const HEIGHT_MAX = 132;

export function Composer(props: ComposerProps) {
  const { t, client } = useTools();
  const { draft, onDraft, is_shown, may_focus } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const composition_ended_at = useRef<number | null>(null);
  const [is_full, setFull] = useState(false);
  const over = [...draft].length - TEXT_CHARS_MAX;
  const can_send = draft.trim() !== "" && over <= 0 && !props.is_closed;

  useLayoutEffect(() => {
    const box = field.current;
    if (box === null) return;
    // The field is the browser's while it is typed into (input methods rely on that); only a draft
    // that came from elsewhere is put in.
    if (box.value !== draft) box.value = draft;
    box.style.height = "auto";
    box.style.height = draft === "" ? "" : `${Math.min(box.scrollHeight, HEIGHT_MAX)}px`;
  }, [draft]);

  useEffect(() => {
    if (is_shown && may_focus) field.current?.focus({ preventScroll: true });
  }, [is_shown, may_focus]);

  const send = () => {
    if (!can_send) return;
    const is_written = client.write(draft.trim());
    setFull(!is_written);
    if (is_written) onDraft("");
    field.current?.focus({ preventScroll: true });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // Its Esc gives up a composition; the window is not meant.
    if (isInputMethods(event, composition_ended_at.current)) event.stopPropagation();
    if (!sends(event, composition_ended_at.current)) return;
    event.preventDefault();
    send();
  };

  const hint = is_full
    ? t("outbox_full")
    : over > 0
      ? t("too_long", { count: over })
      : t("composer_hint");
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        data-testid="composer"
        rows={1}
        placeholder={t("composer")}
        aria-label={t("composer")}
        aria-describedby="hint"
        enterkeyhint="send"
        onInput={(event) => onDraft(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onCompositionEnd={(event) => {
          composition_ended_at.current = event.timeStamp;
        }}
      />
      <div class="foot">
        <span
          id="hint"
          class={over > 0 || is_full ? "hint over" : "hint"}
          role={over > 0 ? "alert" : undefined}
        >
          {hint}
        </span>
        {props.has_preview && (
          <span class="preview-notice" data-testid="preview-notice">
            <EyeIcon />
            {t("preview_notice")}
          </span>
        )}
        <button
          type="submit"
          class="send"
          data-testid="send"
          disabled={!can_send}
          aria-label={t("send")}
          title={t("send")}
        >
          <SendIcon />
        </button>
      </div>
    </form>
  );
}
