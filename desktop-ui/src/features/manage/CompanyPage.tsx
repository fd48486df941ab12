// 接入与分配: the company's clock, where conversations go, what visitors may choose, when waiting asks
// louder.

import { Checkbox, Select, Switch } from "antd";
import type { CompanySettings } from "../../../../shared/bindings/CompanySettings";
import { useT } from "../../i18n";
import { Categories } from "./Categories";
import { companyProblems, type Problems } from "./checks";
import { useDepartmentChoices, useSiteChoices, zoneChoices } from "./choices";
import { Field, FormSection } from "./Form";
import styles from "./Form.module.css";
import { Seconds } from "./Seconds";
import { SectionPage } from "./SectionPage";
import { useSection } from "./useSection";

interface PartProps {
  company: CompanySettings;
  problems: Problems;
  set: (change: Partial<CompanySettings>) => void;
}

export function CompanyPage() {
  const t = useT();
  const section = useSection("company");
  if (section === null) return null;
  const { value: company, change } = section;
  const problems = companyProblems(company);
  const part = {
    company,
    problems,
    set: (to: Partial<CompanySettings>) => change({ ...company, ...to }),
  };
  return (
    <SectionPage
      section="company"
      title={t("manage.page_company")}
      lead={t("manage.company_lead")}
      problems={Object.keys(problems).length}
    >
      <Where {...part} />
      <FormSection title={t("manage.categories")} about={t("manage.categories_hint")}>
        <Categories
          categories={company.categories}
          first={company.default_department}
          problems={problems}
          onChange={(categories) => part.set({ categories })}
        />
      </FormSection>
      <Visitors {...part} />
      <Clock {...part} />
      <Alerts {...part} />
    </SectionPage>
  );
}

function Where({ company, set }: PartProps) {
  const t = useT();
  const departments = useDepartmentChoices();
  const sites = useSiteChoices();
  const byDefault = { value: "", label: t("manage.site_default") };
  return (
    <FormSection title={t("manage.company_where")}>
      <Field label={t("manage.default_department")} hint={t("manage.default_department_hint")}>
        {(described) => (
          <Select
            {...described}
            className={styles.wide ?? ""}
            options={departments}
            value={company.default_department}
            data-testid="default-department"
            onChange={(default_department) => set({ default_department })}
          />
        )}
      </Field>
      <Field label={t("manage.site_departments")} hint={t("manage.site_departments_hint")} group>
        {() => (
          <div className={styles.rows}>
            {sites.length === 0 && t("manage.sites_none")}
            {sites.map((site) => (
              <div key={site.value} className={styles.row}>
                <label htmlFor={`site-department-${site.value}`}>{site.label}</label>
                <Select
                  id={`site-department-${site.value}`}
                  className={styles.wide ?? ""}
                  options={[byDefault, ...departments]}
                  value={company.sites[site.value] ?? ""}
                  data-testid={`site-department-${site.value}`}
                  onChange={(to) => {
                    const { [site.value]: _, ...others } = company.sites;
                    set({ sites: to === "" ? others : { ...others, [site.value]: to } });
                  }}
                />
              </div>
            ))}
          </div>
        )}
      </Field>
      <Field label={t("manage.silent_seat")} hint={t("manage.silent_seat_hint")} group>
        {() => (
          <Checkbox.Group
            options={sites}
            value={company.seats_for_silent}
            onChange={(seats_for_silent) => set({ seats_for_silent })}
          />
        )}
      </Field>
    </FormSection>
  );
}

function Visitors({ company, set }: PartProps) {
  const t = useT();
  const choices = [
    { name: "choose_department", label: "manage.choose_department" },
    { name: "choose_agent", label: "manage.choose_agent" },
    { name: "announce_entering", label: "manage.announce_entering" },
  ] as const;
  return (
    <FormSection title={t("manage.company_visitor")}>
      {choices.map(({ name, label }) => (
        <Field key={name} label={t(label)}>
          {({ id }) => (
            <Switch
              id={id}
              checked={company[name]}
              data-testid={name}
              onChange={(on) => set({ [name]: on })}
            />
          )}
        </Field>
      ))}
    </FormSection>
  );
}

function Clock({ company, problems, set }: PartProps) {
  const t = useT();
  return (
    <FormSection title={t("manage.company_clock")}>
      <Field label={t("manage.zone")} hint={t("manage.zone_hint")} problem={problems.zone}>
        {(described) => (
          <Select
            {...described}
            showSearch
            className={styles.wide ?? ""}
            options={zoneChoices(company.zone)}
            value={company.zone}
            data-testid="zone"
            onChange={(zone) => set({ zone })}
          />
        )}
      </Field>
      <Field label={t("manage.grace")} hint={t("manage.grace_hint")}>
        {({ id }) => (
          <Seconds
            id={id}
            label={t("manage.grace")}
            name="grace"
            value={company.grace_s}
            min={5}
            max={3_600}
            onChange={(grace_s) => set({ grace_s })}
          />
        )}
      </Field>
      <Field label={t("manage.invitation")} hint={t("manage.invitation_hint")}>
        {({ id }) => (
          <Seconds
            id={id}
            label={t("manage.invitation")}
            name="invitation"
            value={company.invitation_s}
            min={10}
            max={600}
            onChange={(invitation_s) => set({ invitation_s })}
          />
        )}
      </Field>
    </FormSection>
  );
}

/** Longest wait before an alert, in seconds: a day. */
const ATTENTION_MAX_S = 86_400;

function Alerts({ company, problems, set }: PartProps) {
  const t = useT();
  const { attention } = company;
  return (
    <FormSection title={t("manage.company_attention")} about={t("manage.attention_hint")}>
      <Field label={t("manage.attention_warn")}>
        {({ id }) => (
          <Seconds
            id={id}
            label={t("manage.attention_warn")}
            name="attention-warn"
            value={attention.warn_s}
            min={5}
            max={ATTENTION_MAX_S}
            onChange={(warn_s) => set({ attention: { ...attention, warn_s } })}
          />
        )}
      </Field>
      <Field label={t("manage.attention_red")} problem={problems.attention}>
        {({ id }) => (
          <Seconds
            id={id}
            label={t("manage.attention_red")}
            name="attention-red"
            value={attention.red_s}
            min={5}
            max={ATTENTION_MAX_S}
            onChange={(red_s) => set({ attention: { ...attention, red_s } })}
          />
        )}
      </Field>
    </FormSection>
  );
}
