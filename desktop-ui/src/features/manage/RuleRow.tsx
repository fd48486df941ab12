// One rule: its place, its name and what it does as a sentence; its editor when it is open.

import { Button, Switch } from "antd";
import { ArrowRight, Check, CircleAlert, GripVertical, X } from "lucide-react";
import type { RuleSettings } from "../../../../shared/bindings/RuleSettings";
import { useLocale, useT } from "../../i18n";
import { join } from "../../ui/join";
import type { Problems } from "./checks";
import { sentenceOf } from "./conditions";
import { MoveButtons } from "./MoveButtons";
import { RuleEditor } from "./RuleEditor";
import styles from "./Rules.module.css";
import type { AllNames } from "./useNames";

interface RuleRowProps {
  rule: RuleSettings;
  at: number;
  count: number;
  open: boolean;
  problems: Problems;
  names: AllNames;
  /** What the test run said of it. */
  outcome: "hit" | "missed" | null;
  dragged: boolean;
  onOpen: (open: boolean) => void;
  onChange: (change: Partial<RuleSettings>) => void;
  onMove: (to: number) => void;
  onRemove: () => void;
  onDrag: (on: boolean) => void;
  onDragOver: () => void;
}

export function RuleRow(props: RuleRowProps) {
  const { rule, at, count, open, problems, names, outcome, dragged } = props;
  const { onOpen, onChange, onMove, onRemove, onDrag, onDragOver } = props;
  const t = useT();
  const wrong = Object.keys(problems).length > 0;
  return (
    <li
      className={join(
        styles.rule,
        !rule.enabled && styles.off,
        outcome === "hit" && styles.hit,
        dragged && styles.dragged,
      )}
      data-testid={`rule-${at}`}
      data-outcome={outcome ?? undefined}
      onDragOver={(event) => {
        event.preventDefault();
        onDragOver();
      }}
    >
      <div className={styles.line}>
        <span
          className={styles.handle}
          draggable
          role="img"
          aria-label={t("manage.rule_drag", { name: rule.name })}
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", rule.name);
            onDrag(true);
          }}
          onDragEnd={() => onDrag(false)}
        >
          <GripVertical size={16} aria-hidden="true" />
        </span>
        <span className={styles.number}>{at + 1}</span>
        <button
          type="button"
          className={styles.title}
          aria-expanded={open}
          data-testid={`rule-open-${at}`}
          onClick={() => onOpen(!open)}
        >
          {rule.name}
        </button>
        {wrong && (
          <CircleAlert
            className={styles.wrong}
            size={15}
            role="img"
            aria-label={t("manage.fix_first", { count: Object.keys(problems).length })}
          />
        )}
        {outcome === "hit" && (
          <span className={styles.hitTag}>
            <Check size={13} aria-hidden="true" />
            {t("manage.hit")}
          </span>
        )}
        {outcome === "missed" && (
          <span className={styles.missedTag}>
            <X size={13} aria-hidden="true" />
            {t("manage.missed")}
          </span>
        )}
        <span className={styles.space} />
        {!rule.enabled && <span className={styles.offWord}>{t("manage.rule_disabled")}</span>}
        <Switch
          size="small"
          checked={rule.enabled}
          aria-label={t("manage.rule_enabled", { name: rule.name })}
          data-testid={`rule-enabled-${at}`}
          onChange={(enabled) => onChange({ enabled })}
        />
        <MoveButtons name={rule.name} at={at} count={count} onMove={onMove} />
        <Button size="small" type="text" onClick={() => onOpen(!open)}>
          {open ? t("manage.rule_done") : t("manage.rule_edit")}
        </Button>
      </div>
      <SentenceLine rule={rule} names={names} />
      {open && (
        <RuleEditor rule={rule} problems={problems} onChange={onChange} onRemove={onRemove} />
      )}
    </li>
  );
}

function SentenceLine({ rule, names }: { rule: RuleSettings; names: AllNames }) {
  const t = useT();
  const locale = useLocale();
  const { department_id, skill_id, agent_id, priority } = rule;
  const targets = [
    department_id !== null && names.department(department_id),
    skill_id !== null && names.skill(skill_id),
    agent_id !== null && names.agent(agent_id),
    priority !== null && t("manage.rule_priority", { count: priority }),
  ].filter((one): one is string => typeof one === "string");
  return (
    <p className={styles.sentence}>
      {rule.when.length === 0 && <span className={styles.chip}>{t("manage.rule_always")}</span>}
      {rule.when.map((condition, at) => {
        const { subject, is, value } = sentenceOf(t, locale, condition, names);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a condition has no identity but its place
          <span key={at} className={styles.clause}>
            {at > 0 && <span className={styles.and}>{t("manage.rule_and")}</span>}
            <span className={styles.chip}>
              {subject} {is} <b>{value}</b>
            </span>
          </span>
        );
      })}
      <ArrowRight size={14} role="img" aria-label={t("manage.rule_to")} />
      {targets.length === 0 ? (
        <span className={styles.and}>{t("manage.rule_stays")}</span>
      ) : (
        targets.map((target) => (
          <span key={target} className={styles.target}>
            {target}
          </span>
        ))
      )}
    </p>
  );
}
