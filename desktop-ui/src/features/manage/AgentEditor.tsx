// One account: who it is, what it may do, how much it takes, where it answers and what it can.

import { Button, Input, InputNumber, Select } from "antd";
import type { ColleagueCard } from "../../../../shared/bindings/ColleagueCard";
import { useT } from "../../i18n";
import {
  type AgentForm,
  addAgent,
  agentChange,
  agentFormOf,
  changeAgent,
  dropForm,
  NEW,
  say,
  useForms,
  writeAgent,
} from "../../stores/forms";
import { showPage } from "../../stores/manage";
import { useOwn } from "../../stores/session";
import { agentProblems, PASSWORD_MIN, type Problems } from "./checks";
import { useDepartmentChoices, useSkillChoices } from "./choices";
import { Back, EntryPage, FormProblem, SaveActions } from "./EntryPage";
import { Field, FormSection } from "./Form";
import styles from "./Form.module.css";
import { useSection } from "./useSection";

const ROLES = ["agent", "manager", "admin"] as const;

export function AgentEditor({ agent }: { agent: ColleagueCard | undefined }) {
  const t = useT();
  const company = useSection("company");
  const id = agent?.card.id ?? NEW;
  const written = useForms((state) => state.agents[id]);
  const form = written ?? agentFormOf(agent, company?.value.default_department ?? "");
  const problems = agentProblems(form, agent === undefined);
  const change = agent === undefined ? null : agentChange(agent, form);
  const dirty = agent === undefined ? written !== undefined : change !== null;

  async function onSave() {
    if (agent === undefined) {
      if ((await addAgent(form)) === null) return;
      showPage("agents");
      say("manage.agent_added");
    } else if (change !== null && (await changeAgent(id, change))) {
      say("manage.saved");
    }
  }

  return (
    <EntryPage
      back={<Back list={t("manage.page_agents")} onBack={() => showPage("agents")} />}
      name="agent"
      title={agent === undefined ? t("manage.agent_new") : agent.card.nickname}
      actions={
        <SaveActions
          dirty={dirty}
          ready={Object.keys(problems).length === 0}
          word={agent === undefined ? t("manage.agent_create") : t("manage.save")}
          onDiscard={() => dropForm("agents", id)}
          onSave={() => void onSave()}
        />
      }
    >
      <FormProblem />
      <Who
        form={form}
        fresh={agent === undefined}
        untouched={written === undefined}
        problems={problems}
        isSelf={useOwn()?.id === id}
        set={(to) => writeAgent(id, { ...form, ...to })}
      />
      <Work form={form} set={(to) => writeAgent(id, { ...form, ...to })} />
      {agent !== undefined && <Disabling agent={agent} />}
    </EntryPage>
  );
}

interface PartProps {
  form: AgentForm;
  set: (change: Partial<AgentForm>) => void;
}

interface WhoProps extends PartProps {
  fresh: boolean;
  /** Nothing was typed yet: nothing is complained about. */
  untouched: boolean;
  problems: Problems;
  isSelf: boolean;
}

function Who({ form, fresh, untouched, problems, isSelf, set }: WhoProps) {
  const t = useT();
  const problem = (name: string) => (untouched ? undefined : problems[name]);
  return (
    <FormSection title={t("manage.basics")}>
      {fresh && (
        <>
          <Field
            label={t("manage.account")}
            hint={t("manage.account_hint")}
            problem={problem("account")}
          >
            {(described) => (
              <Input
                {...described}
                autoFocus
                className={styles.wide ?? ""}
                autoComplete="off"
                value={form.account}
                maxLength={64}
                data-testid="agent-account"
                onChange={({ target }) => set({ account: target.value })}
              />
            )}
          </Field>
          <Field
            label={t("manage.password")}
            hint={t("manage.password_hint", { count: PASSWORD_MIN })}
            problem={form.password === "" ? undefined : problem("password")}
          >
            {(described) => (
              <Input.Password
                {...described}
                className={styles.wide ?? ""}
                autoComplete="new-password"
                value={form.password}
                data-testid="agent-password"
                onChange={({ target }) => set({ password: target.value })}
              />
            )}
          </Field>
        </>
      )}
      <Field
        label={t("manage.nickname")}
        hint={t("manage.nickname_hint")}
        problem={problem("nickname")}
      >
        {(described) => (
          <Input
            {...described}
            className={styles.wide ?? ""}
            value={form.nickname}
            maxLength={64}
            data-testid="agent-nickname"
            onChange={({ target }) => set({ nickname: target.value })}
          />
        )}
      </Field>
      <Field
        label={t("manage.role")}
        hint={isSelf ? t("manage.agent_self") : t(`manage.role_${form.role}_means`)}
      >
        {({ id }) => (
          <Select
            id={id}
            className={styles.wide ?? ""}
            disabled={isSelf}
            value={form.role}
            options={ROLES.map((role) => ({ value: role, label: t(`workbench.role_${role}`) }))}
            data-testid="agent-role"
            onChange={(role) => set({ role })}
          />
        )}
      </Field>
    </FormSection>
  );
}

function Work({ form, set }: PartProps) {
  const t = useT();
  const departments = useDepartmentChoices();
  const skills = useSkillChoices();
  const many = [
    { name: "departments", label: "manage.agent_departments", all: departments },
    { name: "skills", label: "manage.agent_skills", all: skills },
  ] as const;
  return (
    <FormSection title={t("manage.work")}>
      <Field label={t("manage.capacity")} hint={t("manage.capacity_hint")}>
        {({ id }) => (
          <InputNumber
            id={id}
            className={styles.number ?? ""}
            value={form.capacity}
            min={1}
            max={200}
            precision={0}
            data-testid="agent-capacity"
            onChange={(capacity) => {
              if (capacity !== null) set({ capacity });
            }}
          />
        )}
      </Field>
      {many.map(({ name, label, all }) => (
        <Field
          key={name}
          label={t(label)}
          hint={
            name === "departments" && form.departments.length === 0
              ? t("manage.agent_departments_none")
              : undefined
          }
        >
          {({ id }) => (
            <Select
              id={id}
              mode="multiple"
              optionFilterProp="label"
              className={styles.wide ?? ""}
              value={[...form[name]]}
              options={all}
              placeholder={t("manage.select_none")}
              data-testid={`agent-${name}`}
              onChange={(ids) => set({ [name]: ids })}
            />
          )}
        </Field>
      ))}
    </FormSection>
  );
}

function Disabling({ agent }: { agent: ColleagueCard }) {
  const t = useT();
  const own = useOwn();
  const saving = useForms((state) => state.saving);
  const { id } = agent.card;
  if (own?.id === id) return null;
  async function set(disabled: boolean) {
    if (await changeAgent(id, { disabled })) say("manage.saved");
  }
  return agent.disabled ? (
    <FormSection title={t("manage.agent_disabled")}>
      <div className={styles.entry}>
        <Button data-testid="agent-enable" loading={saving} onClick={() => void set(false)}>
          {t("manage.agent_enable")}
        </Button>
      </div>
    </FormSection>
  ) : (
    <FormSection title={t("manage.agent_disable")} about={t("manage.agent_disable_about")}>
      <div className={styles.entry}>
        <Button danger data-testid="agent-disable" loading={saving} onClick={() => void set(true)}>
          {t("manage.agent_disable")}
        </Button>
      </div>
    </FormSection>
  );
}
