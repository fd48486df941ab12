// A rule being changed: its name, its conditions, where it leads.

import { Button, Input, InputNumber, Select } from "antd";
import { Plus, Trash2 } from "lucide-react";
import type { RuleSettings } from "../../../../shared/bindings/RuleSettings";
import { useT } from "../../i18n";
import { ConditionEditor } from "./ConditionEditor";
import { CONDITIONS_MAX, NAME_MAX, type Problems } from "./checks";
import { useAgentChoices, useDepartmentChoices, useSkillChoices } from "./choices";
import { FRESH } from "./conditions";
import { Field } from "./Form";
import form from "./Form.module.css";
import { replaced, without } from "./lists";
import styles from "./Rules.module.css";

interface RuleEditorProps {
  rule: RuleSettings;
  problems: Problems;
  onChange: (change: Partial<RuleSettings>) => void;
  onRemove: () => void;
}

/** The select's value for nothing chosen; no id is empty. */
const NOBODY = "";

export function RuleEditor({ rule, problems, onChange, onRemove }: RuleEditorProps) {
  const t = useT();
  const departments = useDepartmentChoices();
  const skills = useSkillChoices();
  const agents = useAgentChoices();
  const targets = [
    { name: "department_id", label: "manage.outcome_department", all: departments },
    { name: "skill_id", label: "manage.outcome_skill", all: skills },
    { name: "agent_id", label: "manage.outcome_agent", all: agents },
  ] as const;
  return (
    <div className={styles.editor} data-testid="rule-editor">
      <Field label={t("manage.name")} problem={problems.name}>
        {(described) => (
          <Input
            {...described}
            className={form.wide ?? ""}
            value={rule.name}
            maxLength={NAME_MAX}
            data-testid="rule-name"
            onChange={({ target }) => onChange({ name: target.value })}
          />
        )}
      </Field>
      <Field label={t("manage.rule_conditions")} group stacked>
        {() => (
          <div className={form.rows}>
            {rule.when.length === 0 && (
              <p className={form.hint}>{t("manage.rule_conditions_none")}</p>
            )}
            {rule.when.map((condition, at) => (
              <ConditionEditor
                // biome-ignore lint/suspicious/noArrayIndexKey: a condition has no identity but its place
                key={at}
                at={at}
                condition={condition}
                problem={problems[`when/${at}`]}
                onChange={(to) => onChange({ when: replaced(rule.when, at, to) })}
                onRemove={() => onChange({ when: without(rule.when, at) })}
              />
            ))}
            {rule.when.length < CONDITIONS_MAX && (
              <div>
                <Button
                  icon={<Plus size={15} aria-hidden="true" />}
                  data-testid="condition-add"
                  onClick={() => onChange({ when: [...rule.when, FRESH] })}
                >
                  {t("manage.condition_add")}
                </Button>
              </div>
            )}
          </div>
        )}
      </Field>
      {targets.map(({ name, label, all }) => (
        <Field key={name} label={t(label)}>
          {({ id }) => (
            <Select
              id={id}
              showSearch
              optionFilterProp="label"
              className={form.wide ?? ""}
              value={rule[name] ?? NOBODY}
              options={[
                {
                  value: NOBODY,
                  label: t(
                    name === "department_id" ? "manage.outcome_unchanged" : "manage.outcome_anyone",
                  ),
                },
                ...all,
              ]}
              data-testid={`rule-${name}`}
              onChange={(to: string) => onChange({ [name]: to === NOBODY ? null : to })}
            />
          )}
        </Field>
      ))}
      <Field label={t("manage.outcome_priority")} hint={t("manage.outcome_priority_hint")}>
        {({ id }) => (
          <InputNumber
            id={id}
            className={form.number ?? ""}
            value={rule.priority}
            min={0}
            max={255}
            precision={0}
            placeholder={t("manage.outcome_unchanged")}
            data-testid="rule-priority"
            onChange={(priority) => onChange({ priority })}
          />
        )}
      </Field>
      <Button
        danger
        type="text"
        className={styles.remove ?? ""}
        icon={<Trash2 size={15} aria-hidden="true" />}
        data-testid="rule-remove"
        onClick={onRemove}
      >
        {t("manage.rule_remove")}
      </Button>
    </div>
  );
}
