// One condition: what is asked, how it compares, with what.

import { Checkbox, Input, InputNumber, Select } from "antd";
import type { Ask } from "../../../../shared/bindings/Ask";
import type { Condition } from "../../../../shared/bindings/Condition";
import { type TextKey, useLocale, useT } from "../../i18n";
import { TimeField } from "../../ui/TimeField";
import styles from "./ConditionEditor.module.css";
import { NAME_MAX } from "./checks";
import { useDepartmentChoices, useSiteChoices } from "./choices";
import {
  askAbout,
  COMPARISONS,
  NUMBER_MAX,
  NUMBERS,
  PLAIN,
  subjectOf,
  TEXT_GROUPS,
} from "./conditions";
import form from "./Form.module.css";
import { weekday } from "./hoursText";
import { MoveAway } from "./MoveAway";
import { useSection } from "./useSection";

interface ConditionEditorProps {
  at: number;
  condition: Condition;
  problem: TextKey | undefined;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}

export function ConditionEditor(props: ConditionEditorProps) {
  const { at, condition, problem, onChange, onRemove } = props;
  const t = useT();
  const departments = useDepartmentChoices();
  const { not, ask } = condition;
  const put = (to: Ask) => onChange({ not, ask: to });
  const name = t("manage.condition_number", { count: at + 1 });
  return (
    <fieldset className={styles.condition} aria-label={name} data-testid={`condition-${at}`}>
      <div className={styles.line}>
        <Select
          className={styles.subject ?? ""}
          popupMatchSelectWidth={false}
          aria-label={t("manage.condition_subject")}
          value={subjectOf(ask)}
          options={useSubjects()}
          data-testid={`condition-subject-${at}`}
          onChange={(subject) => put(askAbout(subject, ask, departments[0]?.value ?? ""))}
        />
        <Comparison ask={ask} not={not} at={at} onChange={onChange} />
        <div className={styles.value}>
          <Value ask={ask} at={at} wrong={problem !== undefined} onChange={put} />
        </div>
        <MoveAway name={name} testId={`remove-condition-${at}`} onRemove={onRemove} />
      </div>
      {problem !== undefined && (
        <p className={form.error} role="alert">
          {t(problem)}
        </p>
      )}
    </fieldset>
  );
}

function useSubjects() {
  const t = useT();
  const groups = Object.entries(TEXT_GROUPS).map(([group, texts]) => ({
    label: t(`manage.subjects_${group as keyof typeof TEXT_GROUPS}`),
    options: texts.map((of) => ({ value: `text:${of}`, label: t(`manage.text_${of}`) })),
  }));
  return [
    ...groups,
    {
      label: t("manage.subjects_history"),
      options: [
        ...NUMBERS.map((of) => ({ value: `number:${of}`, label: t(`manage.number_${of}`) })),
        ...PLAIN.map((kind) => ({ value: kind, label: t(`manage.ask_${kind}`) })),
      ],
    },
    {
      label: t("manage.subjects_when"),
      options: [
        { value: "time", label: t("manage.ask_time") },
        { value: "open", label: t("manage.ask_open") },
      ],
    },
  ];
}

interface ComparisonProps {
  ask: Ask;
  not: boolean;
  at: number;
  onChange: (condition: Condition) => void;
}

/** How it compares, and its opposite, in one select. */
function Comparison({ ask, not, at, onChange }: ComparisonProps) {
  const t = useT();
  const plain = { yes: t("manage.yes"), no: t("manage.no") };
  let words = plain;
  if (ask.kind === "number") {
    words = { yes: t("manage.is_one_of"), no: t("manage.is_not_one_of") };
  } else if (ask.kind === "open") {
    words = { yes: t("manage.open_now"), no: t("manage.open_not") };
  } else if (ask.kind === "time") words = { yes: t("manage.in"), no: t("manage.not_in") };
  const options =
    ask.kind === "text"
      ? COMPARISONS.flatMap((is) => [
          { value: `yes:${is}`, label: t(`manage.is_${is}`) },
          { value: `no:${is}`, label: t(`manage.is_not_${is}`) },
        ])
      : [
          { value: "yes", label: words.yes },
          { value: "no", label: words.no },
        ];
  const value = `${not ? "no" : "yes"}${ask.kind === "text" ? `:${ask.is}` : ""}`;
  return (
    <Select
      className={styles.is ?? ""}
      popupMatchSelectWidth={false}
      aria-label={t("manage.condition_is")}
      value={value}
      options={options}
      data-testid={`condition-is-${at}`}
      onChange={(to) => {
        const [which, wanted] = to.split(":");
        const is = COMPARISONS.find((one) => one === wanted);
        if (ask.kind !== "text" || is === undefined) onChange({ not: which === "no", ask });
        else {
          const values = is === "known" ? [] : ask.values;
          onChange({ not: which === "no", ask: { ...ask, is, values } });
        }
      }}
    />
  );
}

interface ValueProps {
  ask: Ask;
  at: number;
  wrong: boolean;
  onChange: (ask: Ask) => void;
}

function Value({ ask, at, wrong, onChange }: ValueProps) {
  const t = useT();
  const locale = useLocale();
  const departments = useDepartmentChoices();
  switch (ask.kind) {
    case "text":
      return <TextValue ask={ask} at={at} wrong={wrong} onChange={onChange} />;
    case "number":
      return (
        <>
          <InputNumber
            className={form.number ?? ""}
            value={ask.from}
            min={0}
            max={NUMBER_MAX}
            precision={0}
            aria-label={t("manage.condition_from")}
            data-testid={`condition-from-${at}`}
            onChange={(from) => onChange({ ...ask, from: from ?? 0 })}
          />
          <span aria-hidden="true">–</span>
          <InputNumber
            className={form.number ?? ""}
            value={ask.to >= NUMBER_MAX ? null : ask.to}
            min={0}
            max={NUMBER_MAX}
            precision={0}
            placeholder={t("manage.condition_unlimited")}
            aria-label={t("manage.condition_to")}
            data-testid={`condition-to-${at}`}
            onChange={(to) => onChange({ ...ask, to: to ?? NUMBER_MAX })}
          />
        </>
      );
    case "time":
      return (
        <>
          <TimeField
            label={t("manage.condition_from")}
            minutes={ask.span.from}
            name={`condition-span-from-${at}`}
            wrong={wrong}
            onChange={(from) => onChange({ ...ask, span: { ...ask.span, from } })}
          />
          <span aria-hidden="true">–</span>
          <TimeField
            label={t("manage.condition_to")}
            minutes={ask.span.to}
            name={`condition-span-to-${at}`}
            wrong={wrong}
            onChange={(to) => onChange({ ...ask, span: { ...ask.span, to } })}
          />
          <Checkbox.Group
            aria-label={t("manage.condition_days")}
            options={Array.from({ length: 7 }, (_, day) => ({
              value: day,
              label: weekday(locale, day),
            }))}
            value={ask.days}
            onChange={(days) => onChange({ ...ask, days: [...days].sort((a, b) => a - b) })}
          />
          {ask.days.length === 0 && (
            <span className={form.hint}>{t("manage.condition_days_all")}</span>
          )}
        </>
      );
    case "open":
      return (
        <Select
          className={styles.fill ?? ""}
          aria-label={t("manage.outcome_department")}
          options={departments}
          value={ask.department_id}
          data-testid={`condition-department-${at}`}
          onChange={(department_id) => onChange({ ...ask, department_id })}
        />
      );
    default:
      return null;
  }
}

interface TextValueProps extends ValueProps {
  ask: Extract<Ask, { kind: "text" }>;
}

/** Values to choose from where they are known, free ones else. */
function TextValue({ ask, at, wrong, onChange }: TextValueProps) {
  const t = useT();
  const sites = useSiteChoices();
  const company = useSection("company");
  const categories = company?.value.categories.map(({ name }) => ({ value: name, label: name }));
  const options = ask.of === "site" ? sites : ask.of === "category" ? (categories ?? []) : [];
  return (
    <>
      {ask.of === "field" && (
        <Input
          className={styles.field ?? ""}
          value={ask.field}
          maxLength={NAME_MAX}
          placeholder={t("manage.condition_field")}
          aria-label={t("manage.condition_field")}
          data-testid={`condition-field-${at}`}
          onChange={({ target }) => onChange({ ...ask, field: target.value })}
        />
      )}
      {ask.is !== "known" && (
        <Select
          mode={ask.of === "site" ? "multiple" : "tags"}
          className={styles.fill ?? ""}
          status={wrong ? "error" : ""}
          placeholder={t("manage.condition_values")}
          aria-label={t("manage.condition_values_label")}
          options={options}
          {...(options.length === 0 ? { open: false, suffixIcon: null } : {})}
          tokenSeparators={["\n"]}
          value={ask.values}
          data-testid={`condition-values-${at}`}
          onChange={(values) => onChange({ ...ask, values })}
        />
      )}
    </>
  );
}
