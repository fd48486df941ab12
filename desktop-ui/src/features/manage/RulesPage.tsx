// 分配规则: the rules in the order they are asked, each a sentence; one of them open to be changed; a
// test run beside them.

import { Button } from "antd";
import { ArrowDown, FlaskConical, Plus, Route } from "lucide-react";
import { useState } from "react";
import { useT } from "../../i18n";
import { useDryRun } from "../../stores/dryRun";
import { showPage, useManage, useManagePage } from "../../stores/manage";
import { Empty } from "../../ui/Empty";
import { useMedia } from "../../ui/useMedia";
import { ENTRIES_MAX, rulesProblems } from "./checks";
import { problemsOf } from "./DepartmentsPage";
import { DryRunPanel } from "./DryRunPanel";
import { moved } from "./lists";
import { RuleRow } from "./RuleRow";
import styles from "./Rules.module.css";
import { SectionPage } from "./SectionPage";
import { useNames } from "./useNames";
import { useSection } from "./useSection";

export function RulesPage() {
  const t = useT();
  const roomy = useMedia("(min-width: 1200px)");
  const entry = useManagePage((state) => state.entry);
  const answer = useDryRun((state) => state.answer);
  const names = useNames();
  const company = useSection("company");
  const section = useSection("rules");
  const dirty = useManage(({ drafts }) => drafts.rules !== undefined);
  const [panel, setPanel] = useState(roomy);
  const [dragged, setDragged] = useState<number | null>(null);
  if (section === null || company === null) return null;
  const { value: rules, change } = section;
  const problems = rulesProblems(rules);

  function add() {
    const id = crypto.randomUUID();
    const rule = {
      id,
      name: t("manage.rule_new"),
      enabled: true,
      when: [],
      department_id: null,
      skill_id: null,
      agent_id: null,
      priority: null,
    };
    change([...rules, rule]);
    showPage("rules", id);
  }

  return (
    <>
      <SectionPage
        section="rules"
        title={t("manage.page_rules")}
        lead={t("manage.rules_lead")}
        problems={Object.keys(problems).length}
        actions={
          <>
            <Button
              icon={<FlaskConical size={15} aria-hidden="true" />}
              aria-pressed={panel}
              data-testid="dry-run-toggle"
              onClick={() => setPanel(!panel)}
            >
              {t("manage.dry_run")}
            </Button>
            {rules.length < ENTRIES_MAX && (
              <Button
                type={dirty ? "default" : "primary"}
                icon={<Plus size={15} aria-hidden="true" />}
                data-testid="rule-add"
                onClick={add}
              >
                {t("manage.rule_add")}
              </Button>
            )}
          </>
        }
      >
        <div className={styles.rules}>
          {rules.length === 0 ? (
            <Empty
              icon={<Route size={26} />}
              title={t("manage.rules_none")}
              text={t("manage.rules_none_text")}
            />
          ) : (
            <ol data-lines>
              {rules.map((rule, at) => (
                <RuleRow
                  key={rule.id}
                  rule={rule}
                  at={at}
                  count={rules.length}
                  open={rule.id === entry}
                  problems={problemsOf(problems, rule.id)}
                  names={names}
                  outcome={
                    answer?.why.rule?.id === rule.id
                      ? "hit"
                      : answer?.passed_over.some((one) => one.rule.id === rule.id)
                        ? "missed"
                        : null
                  }
                  dragged={dragged === at}
                  onOpen={(open) => showPage("rules", open ? rule.id : null)}
                  onChange={(to) =>
                    change(rules.map((one) => (one.id === rule.id ? { ...one, ...to } : one)))
                  }
                  onMove={(to) => change(moved(rules, at, to))}
                  onRemove={() => change(rules.filter((one) => one.id !== rule.id))}
                  onDrag={(on) => setDragged(on ? at : null)}
                  onDragOver={() => {
                    if (dragged === null || dragged === at) return;
                    change(moved(rules, dragged, at));
                    setDragged(at);
                  }}
                />
              ))}
            </ol>
          )}
          <p className={styles.otherwise}>
            <ArrowDown size={15} aria-hidden="true" />
            <b>{t("manage.rule_otherwise")}</b>
            <span>{t("manage.rule_to")}</span>
            <span className={styles.target}>
              {names.department(company.value.default_department)}
            </span>
          </p>
        </div>
      </SectionPage>
      {panel && <DryRunPanel names={names} onClose={() => setPanel(false)} />}
    </>
  );
}
