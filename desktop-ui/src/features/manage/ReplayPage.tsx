// 回放: a past day with other capacities, policies and rules. What is changed here is a copy.

import { Button, Input, InputNumber, Select, Switch } from "antd";
import { CalendarX, CircleAlert, Rewind } from "lucide-react";
import { useEffect } from "react";
import type { DepartmentSettings } from "../../../../shared/bindings/DepartmentSettings";
import type { ErrorCode } from "../../../../shared/bindings/ErrorCode";
import type { QueuePolicy } from "../../../../shared/bindings/QueuePolicy";
import type { RuleSettings } from "../../../../shared/bindings/RuleSettings";
import type { Settings } from "../../../../shared/bindings/Settings";
import { type TextKey, useT } from "../../i18n";
import { departmentName, problemText } from "../../i18n/words";
import { useManage } from "../../stores/manage";
import {
  dayBefore,
  playDay,
  triesSomething,
  tryCapacity,
  tryNothing,
  tryOut,
  useReplay,
} from "../../stores/replay";
import { Empty } from "../../ui/Empty";
import { EntryPage } from "./EntryPage";
import { Field, FormSection } from "./Form";
import form from "./Form.module.css";
import { moved, replaced } from "./lists";
import { MoveButtons } from "./MoveButtons";
import styles from "./Replay.module.css";
import { Bounds, ReplayReport } from "./ReplayReport";
import { Seconds } from "./Seconds";

const CAPACITY_MAX = 200;
const POLICIES: readonly QueuePolicy["kind"][] = ["pool", "sticky", "sticky_then_pool"];
const STICKY_S = 120;
const DAY_S = 86_400;

/** Words of its own for what this page is refused with. */
const REFUSALS: Partial<Record<ErrorCode, TextKey>> = {
  too_large: "replay.too_large",
  invalid: "replay.invalid",
  busy: "replay.busy",
};

export function ReplayPage() {
  const t = useT();
  const settings = useManage((state) => state.settings);
  const { trial, running, answer, answered, problem } = useReplay();
  const zone = settings?.company.value.zone;
  useEffect(() => {
    if (trial.day === "" && zone !== undefined) tryOut({ day: dayBefore(Date.now(), zone) });
  }, [trial.day, zone]);
  if (settings === null) return null;
  const own = problem?.code == null ? undefined : REFUSALS[problem.code];
  return (
    <EntryPage
      name="replay"
      title={t("manage.page_replay")}
      lead={t("replay.lead")}
      actions={
        <>
          {triesSomething(trial) && (
            <Button data-testid="replay-reset" onClick={tryNothing}>
              {t("replay.reset")}
            </Button>
          )}
          <Button
            type="primary"
            loading={running}
            disabled={trial.day === ""}
            icon={<Rewind size={15} aria-hidden="true" />}
            data-testid="replay-start"
            onClick={() => void playDay()}
          >
            {t("replay.start")}
          </Button>
        </>
      }
    >
      <Day zone={settings.company.value.zone} bounds={answer === null} />
      <div role="status" className={styles.status}>
        {running && <p className={styles.running}>{t("replay.running")}</p>}
        {problem !== null && (
          <p className={styles.problem} data-testid="replay-problem">
            <CircleAlert size={16} aria-hidden="true" />
            {own === undefined ? problemText(t, problem) : t(own)}
          </p>
        )}
        {answer !== null && !running && answered !== trial && (
          <p className={styles.running}>{t("replay.stale")}</p>
        )}
        {answer !== null && answer.before.all.came === 0 && (
          <Empty
            icon={<CalendarX size={26} />}
            title={t("replay.none")}
            text={t("replay.none_text")}
          />
        )}
      </div>
      {answer !== null && answer.before.all.came > 0 && (
        <ReplayReport answer={answer} tried={answered !== null && triesSomething(answered)} />
      )}
      <Trials settings={settings} />
    </EntryPage>
  );
}

/** The day; what is left out stands with the report, once there is one. */
function Day({ zone, bounds }: { zone: string; bounds: boolean }) {
  const t = useT();
  const day = useReplay((state) => state.trial.day);
  return (
    <FormSection title={t("replay.day")}>
      <Field label={t("replay.which_day")} hint={zone}>
        {({ id }) => (
          <Input
            id={id}
            className={styles.date ?? ""}
            type="date"
            value={day}
            data-testid="replay-day"
            onChange={({ target }) => tryOut({ day: target.value })}
          />
        )}
      </Field>
      {bounds && <Bounds />}
    </FormSection>
  );
}

function Trials({ settings }: { settings: Settings }) {
  const t = useT();
  return (
    <>
      <Capacities />
      <FormSection title={t("replay.policies")}>
        {settings.departments.value.map((department) => (
          <Policy key={department.id} department={department} />
        ))}
      </FormSection>
      {settings.rules.value.length > 0 && <Rules now={settings.rules.value} />}
    </>
  );
}

function Capacities() {
  const t = useT();
  const agents = useManage((state) => state.agents);
  const capacities = useReplay((state) => state.trial.capacities);
  return (
    <FormSection title={t("replay.capacities")} about={t("replay.capacities_about")}>
      {agents
        .filter(({ disabled }) => !disabled)
        .map(({ card, capacity }) => (
          <div key={card.id} className={styles.line}>
            <span className={styles.name}>{card.nickname}</span>
            <span className={styles.now}>{t("replay.now_count", { count: capacity })}</span>
            <InputNumber
              className={form.number ?? ""}
              value={capacities[card.id] ?? capacity}
              min={1}
              max={CAPACITY_MAX}
              precision={0}
              aria-label={t("replay.capacity_of", { name: card.nickname })}
              data-testid={`replay-capacity-${card.id}`}
              onChange={(to) => tryCapacity(card.id, to === capacity ? null : to)}
            />
          </div>
        ))}
    </FormSection>
  );
}

function Policy({ department }: { department: DepartmentSettings }) {
  const t = useT();
  const policies = useReplay((state) => state.trial.policies);
  const policy = policies[department.id] ?? department.policy;
  const put = (to: QueuePolicy) => tryOut({ policies: { ...policies, [department.id]: to } });
  return (
    <Field label={departmentName(t, department)}>
      {({ id }) => (
        <>
          <Select
            id={id}
            className={form.wide ?? ""}
            value={policy.kind}
            options={POLICIES.map((kind) => ({ value: kind, label: t(`manage.policy_${kind}`) }))}
            data-testid={`replay-policy-${department.id}`}
            onChange={(kind) =>
              put(kind === "sticky_then_pool" ? { kind, after_s: STICKY_S } : { kind })
            }
          />
          {policy.kind === "sticky_then_pool" && (
            <Seconds
              label={t("manage.policy_after")}
              value={policy.after_s}
              min={1}
              max={DAY_S}
              name={`replay-after-${department.id}`}
              onChange={(after_s) => put({ kind: "sticky_then_pool", after_s })}
            />
          )}
        </>
      )}
    </Field>
  );
}

function Rules({ now }: { now: readonly RuleSettings[] }) {
  const t = useT();
  const rules = useReplay((state) => state.trial.rules) ?? now;
  return (
    <FormSection title={t("replay.rules")} about={t("replay.rules_about")}>
      <div data-lines="">
        {rules.map((rule, at) => (
          <div key={rule.id} className={styles.line}>
            <Switch
              size="small"
              checked={rule.enabled}
              aria-label={t("replay.rule_on", { name: rule.name })}
              data-testid={`replay-rule-${at}`}
              onChange={(enabled) => tryOut({ rules: replaced(rules, at, { ...rule, enabled }) })}
            />
            <span className={styles.name}>{rule.name}</span>
            <MoveButtons
              name={rule.name}
              at={at}
              count={rules.length}
              onMove={(to) => tryOut({ rules: moved(rules, at, to) })}
            />
          </div>
        ))}
      </div>
    </FormSection>
  );
}
