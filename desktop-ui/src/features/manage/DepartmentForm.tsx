// One department: who answers when, and what follows if nobody does.

import { Button, Input, InputNumber, Select, Switch } from "antd";
import { Trash2 } from "lucide-react";
import type { DepartmentSettings } from "../../../../shared/bindings/DepartmentSettings";
import type { QueuePolicy } from "../../../../shared/bindings/QueuePolicy";
import { useT } from "../../i18n";
import { useManage } from "../../stores/manage";
import { FIRST_DEPARTMENT, NAME_MAX, type Problems } from "./checks";
import { ORDER_MAX } from "./departments";
import { Field, FormSection } from "./Form";
import styles from "./Form.module.css";
import { HoursEditor } from "./HoursEditor";
import { OptionalSeconds, Seconds } from "./Seconds";
import { UseList } from "./UseList";
import { usesOfDepartment } from "./uses";

const POLICIES: readonly QueuePolicy["kind"][] = ["pool", "sticky", "sticky_then_pool"];
/** Where a wait for the own agent begins when it is chosen. */
const STICKY_S = 120;
const DAY_S = 86_400;

interface DepartmentFormProps {
  department: DepartmentSettings;
  problems: Problems;
  onChange: (change: Partial<DepartmentSettings>) => void;
  onRemove: () => void;
}

type PartProps = Omit<DepartmentFormProps, "onRemove">;

export function DepartmentForm({ onRemove, ...part }: DepartmentFormProps) {
  const t = useT();
  const { department, problems, onChange } = part;
  return (
    <>
      <Basics {...part} />
      <FormSection title={t("manage.hours")} about={t("manage.hours_about")}>
        <HoursEditor
          hours={department.hours}
          problems={problems}
          onChange={(hours) => onChange({ hours })}
        />
        {department.hours !== null && (
          <Field label={t("manage.close_line")} hint={t("manage.close_line_hint")}>
            {({ id }) => (
              <Switch
                id={id}
                checked={department.close_line}
                data-testid="close-line"
                onChange={(close_line) => onChange({ close_line })}
              />
            )}
          </Field>
        )}
      </FormSection>
      <Answering {...part} />
      <SilencePart {...part} />
      <Leaving {...part} />
      <Removal department={department} onRemove={onRemove} />
    </>
  );
}

function Basics({ department, problems, onChange }: PartProps) {
  const t = useT();
  const { policy } = department;
  const first = department.id === FIRST_DEPARTMENT;
  return (
    <FormSection title={t("manage.basics")}>
      <Field
        label={t("manage.name")}
        problem={problems.name}
        hint={first ? t("manage.first_department_hint") : undefined}
      >
        {(described) => (
          <Input
            {...described}
            className={styles.wide ?? ""}
            value={department.name}
            maxLength={NAME_MAX}
            autoFocus={department.name === "" && !first}
            placeholder={first ? t("common.department_first") : ""}
            data-testid="department-name"
            onChange={({ target }) => onChange({ name: target.value })}
          />
        )}
      </Field>
      <Field label={t("manage.order")} hint={t("manage.order_hint")}>
        {({ id }) => (
          <InputNumber
            id={id}
            className={styles.number ?? ""}
            value={department.order}
            min={-ORDER_MAX}
            max={ORDER_MAX}
            precision={0}
            data-testid="department-order"
            onChange={(order) => onChange({ order: order ?? 0 })}
          />
        )}
      </Field>
      <Field label={t("manage.policy")} hint={t(`manage.policy_${policy.kind}_means`)}>
        {({ id }) => (
          <>
            <Select
              id={id}
              className={styles.wide ?? ""}
              value={policy.kind}
              options={POLICIES.map((kind) => ({ value: kind, label: t(`manage.policy_${kind}`) }))}
              data-testid="policy"
              onChange={(kind) =>
                onChange({
                  policy: kind === "sticky_then_pool" ? { kind, after_s: STICKY_S } : { kind },
                })
              }
            />
            {policy.kind === "sticky_then_pool" && (
              <Seconds
                label={t("manage.policy_after")}
                name="policy-after"
                value={policy.after_s}
                min={1}
                max={DAY_S}
                onChange={(after_s) => onChange({ policy: { kind: policy.kind, after_s } })}
              />
            )}
          </>
        )}
      </Field>
    </FormSection>
  );
}

function Answering({ department, onChange }: PartProps) {
  const t = useT();
  const { no_answer } = department;
  return (
    <FormSection title={t("manage.answering")}>
      <Field label={t("manage.no_answer")} hint={t("manage.no_answer_hint")}>
        {({ id }) => (
          <OptionalSeconds
            id={id}
            label={t("manage.no_answer")}
            name="no-answer"
            value={no_answer?.after_s ?? null}
            usual={180}
            min={10}
            max={7_200}
            onChange={(after_s) =>
              onChange({
                no_answer:
                  after_s === null
                    ? null
                    : { after_s, transfers_max: no_answer?.transfers_max ?? 3 },
              })
            }
          />
        )}
      </Field>
      {no_answer !== null && (
        <Field label={t("manage.transfers_max")} hint={t("manage.transfers_max_hint")}>
          {({ id }) => (
            <InputNumber
              id={id}
              className={styles.number ?? ""}
              value={no_answer.transfers_max}
              min={0}
              max={20}
              precision={0}
              data-testid="transfers-max"
              onChange={(transfers_max) =>
                onChange({ no_answer: { ...no_answer, transfers_max: transfers_max ?? 0 } })
              }
            />
          )}
        </Field>
      )}
      <Field label={t("manage.explain")} hint={t("manage.explain_hint")}>
        {({ id }) => (
          <OptionalSeconds
            id={id}
            label={t("manage.explain")}
            name="explain"
            value={department.explain_s}
            usual={60}
            min={10}
            max={7_200}
            onChange={(explain_s) => onChange({ explain_s })}
          />
        )}
      </Field>
      <Field label={t("manage.wrap_up")} hint={t("manage.wrap_up_hint")}>
        {({ id }) => (
          <Seconds
            id={id}
            label={t("manage.wrap_up")}
            name="wrap-up"
            value={department.wrap_up_s}
            min={0}
            max={3_600}
            onChange={(wrap_up_s) => onChange({ wrap_up_s })}
          />
        )}
      </Field>
    </FormSection>
  );
}

function SilencePart({ department, problems, onChange }: PartProps) {
  const t = useT();
  const { silence } = department;
  const lines = [
    { name: "ask_s", usual: 180, label: "manage.silence_ask" },
    { name: "warn_s", usual: 300, label: "manage.silence_warn" },
    { name: "end_s", usual: 120, label: "manage.silence_end" },
  ] as const;
  return (
    <FormSection title={t("manage.silence")} about={t("manage.silence_about")}>
      {lines.map(({ name, usual, label }) => (
        <Field
          key={name}
          label={t(label)}
          hint={
            name === "end_s"
              ? t(
                  silence.warn_s === null
                    ? "manage.silence_end_after_word"
                    : "manage.silence_end_after_warning",
                )
              : undefined
          }
          problem={name === "ask_s" ? problems.silence : undefined}
        >
          {({ id }) => (
            <OptionalSeconds
              id={id}
              label={t(label)}
              name={`silence-${name}`}
              value={silence[name]}
              usual={usual}
              min={10}
              max={DAY_S}
              onChange={(seconds) => onChange({ silence: { ...silence, [name]: seconds } })}
            />
          )}
        </Field>
      ))}
    </FormSection>
  );
}

function Leaving({ department, onChange }: PartProps) {
  const t = useT();
  return (
    <FormSection title={t("manage.leaving")} about={t("manage.leaving_about")}>
      <Field label={t("manage.file_after")} hint={t("manage.file_after_hint")}>
        {({ id }) => (
          <OptionalSeconds
            id={id}
            label={t("manage.file_after")}
            name="file-after"
            value={department.file_after_s}
            usual={600}
            min={10}
            max={DAY_S}
            onChange={(file_after_s) => onChange({ file_after_s })}
          />
        )}
      </Field>
      <Field label={t("manage.wait_max")} hint={t("manage.wait_max_hint")}>
        {({ id }) => (
          <OptionalSeconds
            id={id}
            label={t("manage.wait_max")}
            name="wait-max"
            value={department.wait_s_max}
            usual={1_800}
            min={10}
            max={DAY_S}
            onChange={(wait_s_max) => onChange({ wait_s_max })}
          />
        )}
      </Field>
    </FormSection>
  );
}

interface RemovalProps {
  department: DepartmentSettings;
  onRemove: () => void;
}

function Removal({ department, onRemove }: RemovalProps) {
  const t = useT();
  const settings = useManage((state) => state.settings);
  const agents = useManage((state) => state.agents);
  if (settings === null) return null;
  const uses = usesOfDepartment(department.id, settings, agents);
  return (
    <FormSection title={t("manage.department_remove")} about={t("manage.department_remove_about")}>
      <div className={styles.row}>
        <Button
          danger
          icon={<Trash2 size={15} aria-hidden="true" />}
          disabled={uses.length > 0}
          data-testid="department-remove"
          onClick={onRemove}
        >
          {t("manage.department_remove")}
        </Button>
        <UseList uses={uses} />
      </div>
    </FormSection>
  );
}
