// 提示语: the company's own words for each state of the visitor's window (A15). Empty is the window's
// own; what is put in for the placeholders is shown with an example.

import { Button, Input } from "antd";
import type { TextAreaRef } from "antd/es/input/TextArea";
import { useRef } from "react";
import type { VisitorPrompts } from "../../../../shared/bindings/VisitorPrompts";
import { useLocale, useT } from "../../i18n";
import { windowWords } from "../../i18n/widget";
import { WORDS_MAX, wordsProblems } from "./checks";
import { Field, FormSection } from "./Form";
import styles from "./Prompts.module.css";
import { filled, PLACEHOLDERS, type Placeholder, PROMPT_GROUPS } from "./prompts";
import { SectionPage } from "./SectionPage";
import { useSection } from "./useSection";

export function PromptsPage() {
  const t = useT();
  const locale = useLocale();
  const section = useSection("prompts");
  if (section === null) return null;
  const { value: prompts, change } = section;
  const problems = wordsProblems(prompts);
  return (
    <SectionPage
      section="prompts"
      title={t("manage.page_prompts")}
      lead={t("manage.prompts_lead")}
      problems={Object.keys(problems).length}
    >
      {PROMPT_GROUPS.map(({ group, states }) => (
        <FormSection key={group} title={t(`manage.prompts_${group}`)}>
          {states.map((state) => (
            <Field key={state} label={t(`manage.prompt_${state}`)} problem={problems[state]}>
              {(described) => (
                <Words
                  id={described.id}
                  name={state}
                  otherwise={windowWords(locale, state)}
                  wrong={problems[state] !== undefined}
                  value={prompts[state]}
                  placeholders={PLACEHOLDERS[state]}
                  onChange={(text) => change({ ...prompts, [state]: text } as VisitorPrompts)}
                />
              )}
            </Field>
          ))}
        </FormSection>
      ))}
    </SectionPage>
  );
}

interface WordsProps {
  id: string;
  name: string;
  /** What is said if nothing is written. */
  otherwise: string;
  wrong: boolean;
  value: string;
  placeholders: readonly Placeholder[];
  onChange: (text: string) => void;
}

/** A text of the company's with its placeholders and how it reads. */
export function Words(props: WordsProps) {
  const { id, name, otherwise, wrong, value, placeholders, onChange } = props;
  const t = useT();
  const area = useRef<TextAreaRef>(null);

  function insert(placeholder: Placeholder) {
    const element = area.current?.resizableTextArea?.textArea;
    const from = element?.selectionStart ?? value.length;
    const to = element?.selectionEnd ?? value.length;
    onChange(`${value.slice(0, from)}{${placeholder}}${value.slice(to)}`);
    element?.focus();
    const behind = from + placeholder.length + 2;
    requestAnimationFrame(() => element?.setSelectionRange(behind, behind));
  }

  const examples = {
    place: "3",
    wait: t("manage.example_wait"),
    agent: t("manage.example_agent"),
  };
  return (
    <div className={styles.words}>
      <Input.TextArea
        ref={area}
        id={id}
        value={value}
        rows={2}
        maxLength={WORDS_MAX * 2}
        status={wrong ? "error" : ""}
        placeholder={filled(otherwise, ["agent"], examples)}
        data-testid={`words-${name}`}
        onChange={({ target }) => onChange(target.value)}
      />
      {placeholders.length > 0 && (
        <div className={styles.insert}>
          {t("manage.insert")}
          {placeholders.map((one) => (
            <Button
              key={one}
              size="small"
              data-testid={`insert-${name}-${one}`}
              onClick={() => insert(one)}
            >
              {t(`manage.placeholder_${one}`)}
            </Button>
          ))}
        </div>
      )}
      {value.trim() !== "" && (
        <p className={styles.preview} data-testid={`preview-${name}`}>
          <span className="visually-hidden">{t("manage.preview")}</span>
          {filled(value, placeholders, examples)}
        </p>
      )}
    </div>
  );
}
