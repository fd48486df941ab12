// 技能组: kinds of question that some agents can take.

import { Button, Input } from "antd";
import { Plus, Wrench, X } from "lucide-react";
import { useT } from "../../i18n";
import { useManage } from "../../stores/manage";
import { Empty } from "../../ui/Empty";
import { IconButton } from "../../ui/IconButton";
import { ENTRIES_MAX, NAME_MAX, skillsProblems } from "./checks";
import styles from "./Form.module.css";
import { replaced, without } from "./lists";
import { SectionPage } from "./SectionPage";
import { UseList } from "./UseList";
import { useSection } from "./useSection";
import { usesOfSkill } from "./uses";

export function SkillsPage() {
  const t = useT();
  const section = useSection("skills");
  const dirty = useManage(({ drafts }) => drafts.skills !== undefined);
  const settings = useManage((state) => state.settings);
  const agents = useManage((state) => state.agents);
  if (section === null || settings === null) return null;
  const { value: skills, change } = section;
  const problems = skillsProblems(skills);
  const add = () => change([...skills, { id: crypto.randomUUID(), name: "" }]);
  return (
    <SectionPage
      section="skills"
      title={t("manage.page_skills")}
      lead={t("manage.skills_lead")}
      problems={Object.keys(problems).length}
      actions={
        skills.length < ENTRIES_MAX && (
          <Button
            type={dirty ? "default" : "primary"}
            icon={<Plus size={15} aria-hidden="true" />}
            data-testid="skill-add"
            onClick={add}
          >
            {t("manage.skill_add")}
          </Button>
        )
      }
    >
      {skills.length === 0 ? (
        <Empty
          icon={<Wrench size={26} />}
          title={t("manage.skills_none")}
          text={t("manage.skills_none_text")}
        />
      ) : (
        <div className={styles.section}>
          {skills.map((skill, at) => {
            const uses = usesOfSkill(skill.id, settings, agents);
            const problem = problems[skill.id];
            return (
              <div key={skill.id} className={styles.entry}>
                <div className={styles.row}>
                  <Input
                    className={styles.wide ?? ""}
                    value={skill.name}
                    maxLength={NAME_MAX}
                    autoFocus={skill.name === ""}
                    status={problem === undefined ? "" : "error"}
                    aria-label={t("manage.name")}
                    data-testid={`skill-name-${at}`}
                    onChange={({ target }) =>
                      change(replaced(skills, at, { ...skill, name: target.value }))
                    }
                  />
                  <span className={styles.grow}>
                    <UseList uses={uses} />
                  </span>
                  <IconButton
                    label={
                      uses.length > 0
                        ? t("manage.remove_in_use")
                        : t("manage.remove_named", { name: skill.name })
                    }
                    disabled={uses.length > 0}
                    data-testid={`skill-remove-${at}`}
                    onClick={() => change(without(skills, at))}
                  >
                    <X size={16} aria-hidden="true" />
                  </IconButton>
                </div>
                {problem !== undefined && (
                  <p className={styles.error} role="alert">
                    {t(problem)}
                  </p>
                )}
              </div>
            );
          })}
        </div>
      )}
    </SectionPage>
  );
}
