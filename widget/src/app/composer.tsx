// Where the visitor writes. Grows to five lines, keeps the draft over a reload of the tab, tells the
// client what is being typed. As the form of a leave-message it is the same field, never a new one:
// focus, cursor and an input method's composition stay.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useTools } from "./context";
import { EyeIcon, SendIcon } from "./icons";
import type { LeaveForm } from "./leave_form";
import { TEXT_CHARS_MAX } from "./protocol";
import { isInputMethods, sends } from "./send_key";

interface ComposerProps {
  draft: string;
  onDraft: (draft: string) => void;
  /** Says whether it was taken. */
  onSend: (text: string) => boolean;
  has_preview: boolean;
  /** The site's online service is off: what is written stays, and nothing goes. */
  is_closed: boolean;
  /** A category is needed first; it may be written already. */
  must_pick: boolean;
  /** It is the form of a leave-message. */
  form: LeaveForm | null;
  is_shown: boolean;
  /** A keyboard that covers the chat should not rise by itself. */
  may_focus: boolean;
}

const HEIGHT_MAX = 132;

export function Composer(props: ComposerProps) {
  const { t, later } = useTools();
  const { draft, onDraft, form, is_shown, may_focus } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const composition_ended_at = useRef<number | null>(null);
  const [is_full, setFull] = useState(false);
  const over = [...draft].length - TEXT_CHARS_MAX;
  const text = draft.trim() || (form?.said ?? "");
  const is_ready = text !== "" && over <= 0 && !props.is_closed;
  const must_pick = props.must_pick && form === null;
  const can_send = is_ready && !must_pick;
  const is_form = form !== null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the form's field has another height
  useLayoutEffect(() => {
    const box = field.current;
    if (box === null) return;
    // The field is the browser's while it is typed into (input methods rely on that); only a draft
    // that came from elsewhere is put in.
    if (box.value !== draft) box.value = draft;
    box.style.height = "auto";
    const edges = box.offsetHeight - box.clientHeight;
    box.style.height = draft === "" ? "" : `${Math.min(box.scrollHeight + edges, HEIGHT_MAX)}px`;
  }, [draft, is_form]);

  useEffect(() => {
    if (is_shown && may_focus) field.current?.focus({ preventScroll: true });
  }, [is_shown, may_focus]);

  const send = () => {
    if (is_ready && must_pick) {
      document.querySelector<HTMLElement>(".pick button, .pick select")?.focus();
    }
    if (!can_send) return;
    const is_taken = props.onSend(text);
    setFull(!is_taken);
    if (is_taken) onDraft("");
    field.current?.focus({ preventScroll: true });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // Its Esc gives up a composition; the window is not meant.
    if (isInputMethods(event, composition_ended_at.current)) event.stopPropagation();
    if (event.target instanceof HTMLButtonElement) return;
    if (!sends(event, composition_ended_at.current)) return;
    // In a form Enter goes on: from a line to the next, from field to field.
    if (form !== null && event.target === field.current && !event.ctrlKey) return;
    event.preventDefault();
    if (event.target === field.current) send();
    else nextTo(event.target)?.focus();
  };

  const hint = is_full
    ? t("outbox_full")
    : over > 0
      ? t("too_long", { count: over })
      : must_pick
        ? t("pick_first")
        : form === null
          ? t("composer_hint")
          : form.contact.trim() === ""
            ? t("leave_contact_hint")
            : "";
  const words = form === null ? t("composer") : form.said ? t("leave_text_said") : t("leave_text");
  return (
    <form
      class={form === null ? "composer" : "composer leaving"}
      aria-label={t(form === null ? "composer" : "leave_title")}
      onKeyDown={onKeyDown}
      onCompositionEnd={(event) => {
        composition_ended_at.current = event.timeStamp;
      }}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {form !== null && later && <later.LeaveHead form={form} may_focus={may_focus} />}
      <textarea
        ref={field}
        data-testid="composer"
        rows={form === null ? 1 : 2}
        placeholder={words}
        aria-label={words}
        aria-describedby="hint"
        enterkeyhint={form === null ? "send" : "enter"}
        onInput={(event) => onDraft(event.currentTarget.value)}
      />
      <div class="foot">
        <span
          id="hint"
          class={over > 0 || is_full ? "hint over" : must_pick ? "hint must" : "hint"}
          role={over > 0 ? "alert" : undefined}
        >
          {hint}
        </span>
        {props.has_preview && form === null && !must_pick && (
          <span class="preview-notice" data-testid="preview-notice">
            <EyeIcon />
            {t("preview_notice")}
          </span>
        )}
        {form === null ? (
          <button
            key="send"
            type="submit"
            class="send"
            data-testid="send"
            disabled={!can_send}
            aria-label={t("send")}
            title={t("send")}
          >
            <SendIcon />
          </button>
        ) : (
          <button
            key="leave"
            type="submit"
            class="submit"
            data-testid="leave-submit"
            disabled={!can_send}
          >
            {t("leave_submit")}
          </button>
        )}
      </div>
    </form>
  );
}

/** The next field of the form. */
function nextTo(target: EventTarget | null): HTMLElement | undefined {
  const fields = [...document.querySelectorAll<HTMLElement>(".composer input, .composer textarea")];
  return fields[fields.indexOf(target as HTMLElement) + 1];
}
