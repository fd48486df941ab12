// 为什么是我 (X04): who had the conversation and why, the newest first; for each decision of routing the
// rule, the department and everybody who was compared.

import { Button } from "antd";
import { useCallback, useEffect, useState } from "react";
import type { Assignment } from "../../../../shared/bindings/Assignment";
import type { Candidate } from "../../../../shared/bindings/Candidate";
import type { Explanation } from "../../../../shared/bindings/Explanation";
import { type TextKey, useLocale, useT } from "../../i18n";
import { dayName, fullTime, timeOfDay } from "../../i18n/format";
import { problemText } from "../../i18n/words";
import { useToday } from "../../stores/clock";
import { useCompany, useDepartmentName } from "../../stores/company";
import { type Explained, readAssignments } from "../../stores/explain";
import { useAgentName } from "../../stores/people";
import { useOwn } from "../../stores/session";
import { Avatar, initials } from "../../ui/Avatar";
import { Dialog } from "../../ui/Dialog";
import { join } from "../../ui/join";
import { Load } from "../../ui/Load";
import { Rows } from "../../ui/Rows";
import styles from "./WhyDialog.module.css";
import { howText, takenReason } from "./words";

interface WhyDialogProps {
  conversationId: string;
  onClose: () => void;
}

export default function WhyDialog({ conversationId, onClose }: WhyDialogProps) {
  const t = useT();
  const [explained, setExplained] = useState<Explained | null>(null);
  const read = useCallback(async () => {
    setExplained(null);
    setExplained(await readAssignments(conversationId));
  }, [conversationId]);
  useEffect(() => void read(), [read]);
  return (
    <Dialog wide title={t("explain.title")} closeLabel={t("common.close")} onClose={onClose}>
      <div className={styles.body} data-testid="why">
        {explained === null && <Rows label={t("explain.loading")} />}
        {explained?.kind === "failed" && (
          <div className={styles.failed} role="alert">
            <p>
              <b>{t("explain.failed")}</b>
            </p>
            <p>{problemText(t, explained.problem)}</p>
            <Button onClick={() => void read()}>{t("common.retry")}</Button>
          </div>
        )}
        {explained?.kind === "known" && <History assignments={explained.assignments} />}
      </div>
    </Dialog>
  );
}

function History({ assignments }: { assignments: readonly Assignment[] }) {
  const t = useT();
  if (assignments.length === 0) {
    return (
      <div className={styles.failed}>
        <p>
          <b>{t("explain.none")}</b>
        </p>
        <p>{t("explain.none_text")}</p>
      </div>
    );
  }
  return (
    <ol className={styles.history}>
      {[...assignments].reverse().map((one) => (
        <Step key={`${one.at} ${one.agent_id}`} assignment={one} />
      ))}
    </ol>
  );
}

function Step({ assignment }: { assignment: Assignment }) {
  const t = useT();
  const locale = useLocale();
  const today = useToday();
  const nameOf = useAgentName();
  const ownId = useOwn()?.id;
  const { at, agent_id, how } = assignment;
  return (
    <li className={styles.step} data-testid="assignment" data-how={how.kind}>
      <p className={styles.whom}>
        <b>
          {agent_id === ownId
            ? t("explain.to_me")
            : t("explain.to_other", { name: nameOf(agent_id) })}
        </b>
        <time dateTime={new Date(at).toISOString()} title={fullTime(locale, at)}>
          {dayName(locale, at, today)} {timeOfDay(locale, at)}
        </time>
      </p>
      <p className={styles.how}>{howText(t, how, nameOf)}</p>
      {how.kind === "routing" && <Why why={how.why} />}
    </li>
  );
}

function Why({ why }: { why: Explanation }) {
  const t = useT();
  const nameOf = useAgentName();
  const departmentOf = useDepartmentName();
  const skills = useCompany((state) => state.company.skills);
  const skill = skills.find((one) => one.id === why.skill_id);
  return (
    <>
      <dl className={styles.facts}>
        <dt>{t("explain.rule")}</dt>
        <dd>
          {why.rule === null ? t("explain.rule_none") : why.rule.name || t("explain.rule_gone")}
        </dd>
        <dt>{t("workbench.department")}</dt>
        <dd>{departmentOf(why.department_id)}</dd>
        {why.skill_id !== null && (
          <>
            <dt>{t("explain.skill")}</dt>
            <dd>{skill?.name ?? t("common.unknown")}</dd>
          </>
        )}
        {why.own_agent !== null && (
          <>
            <dt>{t("explain.own_agent")}</dt>
            <dd>{nameOf(why.own_agent)}</dd>
          </>
        )}
      </dl>
      {why.candidates.length > 0 && (
        <ul className={styles.candidates} aria-label={t("explain.candidates")}>
          {why.candidates.map((one) => (
            <Compared
              key={one.agent_id}
              candidate={one}
              reason={why.own_agent === null ? takenReason(why.candidates) : null}
            />
          ))}
        </ul>
      )}
      {why.unlisted > 0 && (
        <p className={styles.unlisted}>{t("explain.unlisted", { count: why.unlisted })}</p>
      )}
    </>
  );
}

interface ComparedProps {
  candidate: Candidate;
  /** What decided for the one taken; `null` where it was meant for one agent. */
  reason: TextKey | null;
}

function Compared({ candidate, reason }: ComparedProps) {
  const t = useT();
  const nameOf = useAgentName();
  const { agent_id, running, capacity, verdict } = candidate;
  const name = nameOf(agent_id);
  const taken = verdict === "taken";
  return (
    <li className={join(styles.candidate, taken && styles.taken)} data-verdict={verdict}>
      <Avatar letters={initials(name)} seed={agent_id} size={28} absent={!taken} />
      <span className={styles.compared}>
        <b>{name}</b>
        <span>
          {t(`explain.verdict_${verdict}`)}
          {taken && reason !== null && `${t("common.colon")}${t(reason)}`}
        </span>
      </span>
      <Load running={running} capacity={capacity} label={t("queue.load", { running, capacity })} />
    </li>
  );
}
