// The head of the leave-message form (H03): why, who one is, where the answer goes. The text below it
// is the composer's own field, so what was typed is there already and stays when the form closes.

import { useEffect, useRef } from "preact/hooks";
import { useTools } from "./context";
import { CrossIcon, MailIcon } from "./icons_later";
import { LEAVE_CONTACT_CHARS_MAX, LEAVE_NAME_CHARS_MAX } from "./protocol";

/** What the form is given; none while it is closed. */
export interface LeaveForm {
  /** The company's words, or the widget's. */
  words: string;
  name: string;
  contact: string;
  /** What goes with it if nothing is added: said before and not answered. */
  said: string;
  /** The visitor opened it, so that is where the keyboard goes. */
  is_wanted: boolean;
  onName: (name: string) => void;
  onContact: (contact: string) => void;
  onBack: () => void;
}

function Field(props: {
  id: "name" | "contact";
  label: string;
  value: string;
  complete: string;
  most: number;
  onText: (text: string) => void;
}) {
  return (
    <label class="field">
      <span>{props.label}</span>
      <input
        data-testid={`leave-${props.id}`}
        name={props.id}
        autocomplete={props.complete}
        maxLength={props.most}
        value={props.value}
        onInput={(event) => props.onText(event.currentTarget.value)}
      />
    </label>
  );
}

export function LeaveHead(props: { form: LeaveForm; may_focus: boolean }) {
  const { t } = useTools();
  const { form } = props;
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the form opens
  useEffect(() => {
    if (!form.is_wanted || !props.may_focus) return;
    const fields = [...(box.current?.querySelectorAll("input") ?? [])];
    fields.find((field) => field.value === "")?.focus({ preventScroll: true });
  }, []);

  return (
    <div class="leave-head" ref={box} data-testid="leave-form">
      <h2>
        <MailIcon />
        {t("leave_title")}
      </h2>
      <button
        type="button"
        class="tool"
        data-testid="leave-back"
        aria-label={t("leave_back")}
        title={t("leave_back")}
        onClick={form.onBack}
      >
        <CrossIcon />
      </button>
      <p role="status">{form.words}</p>
      <Field
        id="name"
        label={t("leave_name")}
        value={form.name}
        complete="name"
        most={LEAVE_NAME_CHARS_MAX}
        onText={form.onName}
      />
      <Field
        id="contact"
        label={t("leave_contact")}
        value={form.contact}
        complete="email"
        most={LEAVE_CONTACT_CHARS_MAX}
        onText={form.onContact}
      />
    </div>
  );
}
