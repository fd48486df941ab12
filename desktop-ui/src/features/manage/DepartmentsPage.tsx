// 部门: all of them in their order, or one to be changed. Both are the same draft: what is changed in
// one department is saved together with the rest.

import { Button } from "antd";
import { CircleAlert, Plus } from "lucide-react";
import type { DepartmentSettings } from "../../../../shared/bindings/DepartmentSettings";
import { useLocale, useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { showPage, useManage, useManagePage } from "../../stores/manage";
import { join } from "../../ui/join";
import { departmentsProblems, ENTRIES_MAX, FIRST_DEPARTMENT, type Problems } from "./checks";
import { DepartmentForm } from "./DepartmentForm";
import { byOrder, newDepartment } from "./departments";
import { Back } from "./EntryPage";
import { hoursText } from "./hoursText";
import { SectionPage } from "./SectionPage";
import styles from "./Tables.module.css";
import { useSection } from "./useSection";

/** The problems of one entry, by their places inside it. */
export function problemsOf(problems: Problems, id: string): Problems {
  const start = `${id}/`;
  return Object.fromEntries(
    Object.entries(problems)
      .filter(([place]) => place.startsWith(start))
      .map(([place, text]) => [place.slice(start.length), text]),
  );
}

export function DepartmentsPage() {
  const t = useT();
  const entry = useManagePage((state) => state.entry);
  const section = useSection("departments");
  const dirty = useManage(({ drafts }) => drafts.departments !== undefined);
  if (section === null) return null;
  const { value: departments, change } = section;
  const problems = departmentsProblems(departments);
  const open = departments.find(({ id }) => id === entry);

  function add() {
    const department = newDepartment(departments);
    change([...departments, department]);
    showPage("departments", department.id);
  }

  return (
    <SectionPage
      back={
        open !== undefined && (
          <Back list={t("manage.page_departments")} onBack={() => showPage("departments")} />
        )
      }
      section="departments"
      title={
        open === undefined
          ? t("manage.page_departments")
          : open.name === "" && open.id !== FIRST_DEPARTMENT
            ? t("manage.department_new")
            : departmentName(t, open)
      }
      {...(open === undefined ? { lead: t("manage.departments_lead") } : {})}
      problems={Object.keys(problems).length}
      actions={
        open === undefined &&
        departments.length < ENTRIES_MAX && (
          <Button
            type={dirty ? "default" : "primary"}
            icon={<Plus size={15} aria-hidden="true" />}
            data-testid="department-add"
            onClick={add}
          >
            {t("manage.department_add")}
          </Button>
        )
      }
    >
      {open === undefined ? (
        <List departments={departments} problems={problems} />
      ) : (
        <DepartmentForm
          key={open.id}
          department={open}
          problems={problemsOf(problems, open.id)}
          onChange={(to) =>
            change(departments.map((one) => (one.id === open.id ? { ...one, ...to } : one)))
          }
          onRemove={() => {
            change(departments.filter((one) => one.id !== open.id));
            showPage("departments");
          }}
        />
      )}
    </SectionPage>
  );
}

interface ListProps {
  departments: readonly DepartmentSettings[];
  problems: Problems;
}

function List({ departments, problems }: ListProps) {
  const t = useT();
  const locale = useLocale();
  const agents = useManage((state) => state.agents);
  return (
    <table className={styles.table} data-testid="departments-table">
      <thead>
        <tr>
          <th scope="col">{t("manage.column_department")}</th>
          <th scope="col" className={styles.end}>
            {t("manage.order")}
          </th>
          <th scope="col" className={styles.end}>
            {t("manage.column_agents")}
          </th>
          <th scope="col">{t("manage.hours")}</th>
          <th scope="col">{t("manage.policy")}</th>
        </tr>
      </thead>
      <tbody>
        {byOrder(departments).map((department) => {
          const wrong = Object.keys(problemsOf(problems, department.id)).length > 0;
          const members = agents.filter(
            (one) => !one.disabled && one.departments.includes(department.id),
          );
          return (
            <tr
              key={department.id}
              className={styles.choosable}
              data-testid={`department-row-${department.id}`}
              onClick={() => showPage("departments", department.id)}
            >
              <td>
                <button type="button" className={styles.name}>
                  {departmentName(t, department)}
                </button>
                {wrong && (
                  <CircleAlert
                    className={styles.wrong}
                    size={15}
                    role="img"
                    aria-label={t("manage.fix_first", { count: 1 })}
                  />
                )}
              </td>
              <td className={styles.end}>{department.order}</td>
              <td className={join(styles.end, members.length === 0 && styles.warn)}>
                {members.length}
              </td>
              <td className={styles.words}>{hoursText(t, locale, department.hours)}</td>
              <td>{t(`manage.policy_${department.policy.kind}`)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
