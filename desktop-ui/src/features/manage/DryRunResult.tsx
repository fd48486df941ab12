// What would happen: first the answer, then the rules passed over and why, then everybody who was
// looked at and why not.

import { Check, Clock3, User, X } from "lucide-react";
import type { ReactNode } from "react";
import type { Candidate } from "../../../../shared/bindings/Candidate";
import type { DryRunAnswer } from "../../../../shared/bindings/DryRunAnswer";
import { useLocale, useT } from "../../i18n";
import { fullTime } from "../../i18n/format";
import { join } from "../../ui/join";
import { sentenceOf } from "./conditions";
import styles from "./DryRun.module.css";
import type { AllNames } from "./useNames";

interface DryRunResultProps {
  answer: DryRunAnswer;
  names: AllNames;
}

export function DryRunResult({ answer, names }: DryRunResultProps) {
  const t = useT();
  const locale = useLocale();
  const { why, passed_over, waits, department_by } = answer;
  const department = names.department(why.department_id);
  const taken = waits === null ? why.candidates[0] : undefined;
  const others = taken === undefined ? why.candidates : why.candidates.slice(1);
  return (
    <section className={styles.result} data-testid="dry-run-result">
      <h4>
        {why.rule === null
          ? t("manage.result_no_rule", { department })
          : t("manage.result_rule", { rule: why.rule.name, department })}
      </h4>
      <ol>
        {passed_over.map(({ rule, unmet }) => (
          <Step key={rule.id} kind="no" title={rule.name}>
            {unmet === null ? t("manage.rule_disabled") : <Unmet condition={unmet} names={names} />}
          </Step>
        ))}
        <Step
          kind="yes"
          title={why.rule === null ? t("manage.result_none_matched") : why.rule.name}
        >
          {t(`manage.by_${department_by}`, { department })}
          {why.skill_id !== null && (
            <> · {t("manage.result_skill", { name: names.skill(why.skill_id) })}</>
          )}
          {why.own_agent !== null && (
            <> · {t("manage.result_own_agent", { name: names.agent(why.own_agent) })}</>
          )}
        </Step>
        {waits === null ? (
          taken !== undefined && (
            <Step
              kind="person"
              title={t("manage.result_taken", { name: names.agent(taken.agent_id) })}
            >
              {t(why.own_agent === null ? "manage.result_least" : "manage.result_load", {
                running: taken.running,
                capacity: taken.capacity,
              })}
            </Step>
          )
        ) : (
          <Step kind="wait" title={t("manage.result_waits", { place: waits.place })}>
            {t(`floor.reason_${waits.reason}`)}
            {waits.opens_at !== null && (
              <> · {t("manage.result_opens", { time: fullTime(locale, waits.opens_at) })}</>
            )}
          </Step>
        )}
      </ol>
      {others.length > 0 && <Others candidates={others} unlisted={why.unlisted} names={names} />}
    </section>
  );
}

const ICONS = { yes: Check, no: X, person: User, wait: Clock3 } as const;

interface StepProps {
  kind: keyof typeof ICONS;
  title: string;
  children: ReactNode;
}

function Step({ kind, title, children }: StepProps) {
  const t = useT();
  const Icon = ICONS[kind];
  return (
    <li className={join(styles.step, styles[kind])} data-kind={kind}>
      <span className={styles.sign}>
        <Icon size={13} role="img" aria-label={t(`manage.step_${kind}`)} />
      </span>
      <div>
        <b>{title}</b>
        <p>{children}</p>
      </div>
    </li>
  );
}

interface UnmetProps {
  condition: Parameters<typeof sentenceOf>[2];
  names: AllNames;
}

function Unmet({ condition, names }: UnmetProps) {
  const t = useT();
  const locale = useLocale();
  const { subject, is, value } = sentenceOf(t, locale, condition, names);
  return t("manage.result_unmet", { condition: [subject, is, value].filter(Boolean).join(" ") });
}

interface OthersProps {
  candidates: readonly Candidate[];
  unlisted: number;
  names: AllNames;
}

function Others({ candidates, unlisted, names }: OthersProps) {
  const t = useT();
  return (
    <div className={styles.others}>
      <h5>{t("manage.result_others")}</h5>
      <ul>
        {candidates.map((one) => (
          <li key={one.agent_id} data-testid={`candidate-${one.agent_id}`}>
            <b>{names.agent(one.agent_id)}</b>
            <span>
              {one.running}/{one.capacity}
            </span>
            <span>{t(`explain.verdict_${one.verdict}`)}</span>
          </li>
        ))}
      </ul>
      {unlisted > 0 && <p>{t("manage.result_unlisted", { count: unlisted })}</p>}
    </div>
  );
}
