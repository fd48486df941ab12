// 试跑: describe a visitor, read what would happen now and why.

import { Button, Checkbox, Input, InputNumber, Select } from "antd";
import { FlaskConical, Plus, X } from "lucide-react";
import { type FormEvent, useEffect, useId, useState } from "react";
import type { TextOf } from "../../../../shared/bindings/TextOf";
import { useT } from "../../i18n";
import { problemText } from "../../i18n/words";
import { describeVisitor, forgetDryRun, runDry, useDryRun } from "../../stores/dryRun";
import { useManage } from "../../stores/manage";
import { IconButton } from "../../ui/IconButton";
import { type Choice, useAgentChoices, useDepartmentChoices, useSiteChoices } from "./choices";
import { NUMBERS, PLAIN, TEXTS } from "./conditions";
import styles from "./DryRun.module.css";
import { DryRunResult } from "./DryRunResult";
import { replaced, without } from "./lists";
import type { AllNames } from "./useNames";
import { useSection } from "./useSection";

/** Texts asked for at once; the others are behind "more". */
const COMMON: readonly TextOf[] = ["page", "category", "language", "keyword"];
const FIELDS_MAX = 30;

interface DryRunPanelProps {
  names: AllNames;
  onClose: () => void;
}

export function DryRunPanel({ names, onClose }: DryRunPanelProps) {
  const t = useT();
  const { running, answer, problem } = useDryRun();
  const dirty = useManage(({ drafts }) => drafts.rules !== undefined);
  const version = useManage(({ settings }) => settings?.rules.version);

  // What was said of other rules is no longer true.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version of the rules
  useEffect(forgetDryRun, [version]);

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    void runDry();
  }

  return (
    <aside className={styles.panel} aria-label={t("manage.dry_run")} data-testid="dry-run">
      <header className={styles.head}>
        <FlaskConical size={17} aria-hidden="true" />
        <h3>{t("manage.dry_run")}</h3>
        <span>{t("manage.dry_run_safe")}</span>
        <IconButton label={t("common.close")} onClick={onClose}>
          <X size={18} aria-hidden="true" />
        </IconButton>
      </header>
      <div className={styles.content}>
        <form className={styles.form} onSubmit={onSubmit}>
          <Description />
          {dirty && <p className={styles.stale}>{t("manage.dry_run_saved_only")}</p>}
          <Button
            block
            type="primary"
            htmlType="submit"
            loading={running}
            icon={<FlaskConical size={15} aria-hidden="true" />}
            data-testid="dry-run-start"
          >
            {answer === null ? t("manage.dry_run_start") : t("manage.dry_run_again")}
          </Button>
        </form>
        <div role="status">
          {problem !== null && <p className={styles.problem}>{problemText(t, problem)}</p>}
          {answer !== null && <DryRunResult answer={answer} names={names} />}
        </div>
      </div>
    </aside>
  );
}

function Description() {
  const t = useT();
  const description = useDryRun((state) => state.description);
  const [more, setMore] = useState(false);
  const departments = useDepartmentChoices();
  const agents = useAgentChoices();
  const sites = useSiteChoices();
  const text = (of: TextOf) => <TextLine key={of} of={of} />;
  return (
    <>
      <SelectLine
        label={t("manage.text_site")}
        name="site"
        all={sites}
        value={description.site}
        onChange={(site) => describeVisitor({ site })}
      />
      {COMMON.map(text)}
      <div className={styles.ticks}>
        {PLAIN.map((kind) => (
          <Checkbox
            key={kind}
            checked={description[kind]}
            data-testid={`dry-run-${kind}`}
            onChange={({ target }) => describeVisitor({ [kind]: target.checked })}
          >
            {t(`manage.ask_${kind}`)}
          </Checkbox>
        ))}
      </div>
      {more && (
        <>
          {TEXTS.filter((of) => of !== "site" && of !== "field" && !COMMON.includes(of)).map(text)}
          {NUMBERS.map((of) => (
            <NumberLine key={of} of={of} />
          ))}
          <SelectLine
            label={t("manage.dry_run_department")}
            name="department"
            all={departments}
            value={description.department}
            onChange={(department) => describeVisitor({ department })}
          />
          <SelectLine
            label={t("manage.dry_run_agent")}
            name="agent"
            all={agents}
            value={description.agent}
            onChange={(agent) => describeVisitor({ agent })}
          />
          <SelectLine
            label={t("manage.dry_run_last_agent")}
            name="last-agent"
            all={agents}
            value={description.lastAgent}
            onChange={(lastAgent) => describeVisitor({ lastAgent })}
          />
          <FieldLines />
        </>
      )}
      <button
        type="button"
        className={styles.more}
        aria-expanded={more}
        data-testid="dry-run-more"
        onClick={() => setMore(!more)}
      >
        {more ? t("manage.dry_run_less") : t("manage.dry_run_more")}
      </button>
    </>
  );
}

function TextLine({ of }: { of: TextOf }) {
  const t = useT();
  const id = useId();
  const texts = useDryRun((state) => state.description.texts);
  const company = useSection("company");
  const set = (value: string) => describeVisitor({ texts: { ...texts, [of]: value } });
  const categories = company?.value.categories ?? [];
  if (of === "category" && categories.length > 0) {
    return (
      <SelectLine
        label={t("manage.text_category")}
        name={of}
        all={categories.map(({ name }) => ({ value: name, label: name }))}
        value={texts[of] ?? ""}
        onChange={set}
      />
    );
  }
  return (
    <div className={styles.line}>
      <label htmlFor={id}>{t(`manage.text_${of}`)}</label>
      <Input
        id={id}
        value={texts[of] ?? ""}
        maxLength={2_048}
        placeholder={t("common.unknown")}
        data-testid={`dry-run-${of}`}
        onChange={({ target }) => set(target.value)}
      />
    </div>
  );
}

function NumberLine({ of }: { of: (typeof NUMBERS)[number] }) {
  const t = useT();
  const id = useId();
  const numbers = useDryRun((state) => state.description.numbers);
  return (
    <div className={styles.line}>
      <label htmlFor={id}>{t(`manage.number_${of}`)}</label>
      <InputNumber
        id={id}
        className={styles.fill ?? ""}
        value={numbers[of] ?? null}
        min={0}
        precision={0}
        placeholder={t("common.unknown")}
        data-testid={`dry-run-${of}`}
        onChange={(value) => {
          const { [of]: _, ...others } = numbers;
          describeVisitor({ numbers: value === null ? others : { ...others, [of]: value } });
        }}
      />
    </div>
  );
}

interface SelectLineProps {
  label: string;
  name: string;
  all: readonly Choice[];
  value: string;
  onChange: (value: string) => void;
}

function SelectLine({ label, name, all, value, onChange }: SelectLineProps) {
  const t = useT();
  const id = useId();
  return (
    <div className={styles.line}>
      <label htmlFor={id}>{label}</label>
      <Select
        id={id}
        className={styles.fill ?? ""}
        value={value}
        options={[{ value: "", label: t("common.unknown") }, ...all]}
        data-testid={`dry-run-${name}`}
        onChange={onChange}
      />
    </div>
  );
}

function FieldLines() {
  const t = useT();
  const fields = useDryRun((state) => state.description.fields);
  const put = (to: typeof fields) => describeVisitor({ fields: to });
  return (
    <>
      {fields.map((field, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place
        <div key={at} className={styles.field}>
          <Input
            value={field.name}
            placeholder={t("manage.condition_field")}
            aria-label={t("manage.condition_field")}
            onChange={({ target }) => put(replaced(fields, at, { ...field, name: target.value }))}
          />
          <Input
            value={field.value}
            placeholder={t("manage.condition_values_label")}
            aria-label={t("manage.condition_values_label")}
            onChange={({ target }) => put(replaced(fields, at, { ...field, value: target.value }))}
          />
          <IconButton
            label={t("manage.remove_named", { name: field.name })}
            onClick={() => put(without(fields, at))}
          >
            <X size={15} aria-hidden="true" />
          </IconButton>
        </div>
      ))}
      {fields.length < FIELDS_MAX && (
        <Button
          size="small"
          icon={<Plus size={14} aria-hidden="true" />}
          onClick={() => put([...fields, { name: "", value: "" }])}
        >
          {t("manage.text_field")}
        </Button>
      )}
    </>
  );
}
