// 客服: every account, or one of them to be changed.

import { Button, Checkbox, Input } from "antd";
import { Plus, Search } from "lucide-react";
import { useMemo, useState } from "react";
import type { ColleagueCard } from "../../../../shared/bindings/ColleagueCard";
import { useT } from "../../i18n";
import { NEW } from "../../stores/forms";
import { showPage, useManage, useManagePage } from "../../stores/manage";
import { usePeople } from "../../stores/people";
import { useOwn } from "../../stores/session";
import { Avatar, initials } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { useMore } from "../../ui/useMore";
import { AgentEditor } from "./AgentEditor";
import styles from "./Agents.module.css";
import { EntryPage } from "./EntryPage";
import tables from "./Tables.module.css";
import { useNames } from "./useNames";

export function AgentsPage() {
  const t = useT();
  const entry = useManagePage((state) => state.entry);
  const read = useManage((state) => state.agents);
  const people = usePeople();
  // What changed since they were read is pushed.
  const agents = useMemo(() => read.map((one) => people[one.card.id] ?? one), [read, people]);
  const open = agents.find(({ card }) => card.id === entry);
  if (entry === NEW || open !== undefined) {
    return <AgentEditor key={entry} agent={open} />;
  }
  return (
    <EntryPage
      name="agents"
      title={t("manage.page_agents")}
      lead={t("manage.agents_lead")}
      actions={
        <Button
          type="primary"
          icon={<Plus size={15} aria-hidden="true" />}
          data-testid="agent-add"
          onClick={() => showPage("agents", NEW)}
        >
          {t("manage.agent_add")}
        </Button>
      }
    >
      <List agents={agents} />
    </EntryPage>
  );
}

const ROLES = ["admin", "manager", "agent"] as const;

function List({ agents }: { agents: readonly ColleagueCard[] }) {
  const t = useT();
  const names = useNames();
  const own = useOwn();
  const [typed, setTyped] = useState("");
  const [disabled, setDisabled] = useState(false);
  const wanted = typed.trim().toLocaleLowerCase();
  const shown = agents
    .filter((one) => disabled || !one.disabled)
    .filter((one) => one.card.nickname.toLocaleLowerCase().includes(wanted))
    .sort(
      (a, b) =>
        Number(a.disabled) - Number(b.disabled) ||
        ROLES.indexOf(a.role) - ROLES.indexOf(b.role) ||
        a.card.nickname.localeCompare(b.card.nickname, "zh-CN"),
    );
  const more = useMore(shown.length);
  return (
    <>
      <div className={styles.tools}>
        <Input
          allowClear
          className={styles.search ?? ""}
          prefix={<Search size={15} aria-hidden="true" />}
          placeholder={t("manage.agents_search")}
          aria-label={t("manage.agents_search")}
          value={typed}
          data-testid="agents-search"
          onChange={({ target }) => setTyped(target.value)}
        />
        {agents.some((one) => one.disabled) && (
          <Checkbox
            checked={disabled}
            data-testid="agents-disabled"
            onChange={({ target }) => setDisabled(target.checked)}
          >
            {t("manage.agents_show_disabled")}
          </Checkbox>
        )}
      </div>
      <table className={tables.table} data-testid="agents-list">
        <thead>
          <tr>
            <th scope="col">{t("manage.column_agent")}</th>
            <th scope="col">{t("manage.column_role")}</th>
            <th scope="col" className={tables.end}>
              {t("manage.column_capacity")}
            </th>
            <th scope="col">{t("manage.column_departments")}</th>
            <th scope="col">{t("manage.column_skills")}</th>
            <th scope="col">{t("manage.column_state")}</th>
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, more.shown).map((one) => (
            <tr
              key={one.card.id}
              className={join(tables.choosable, one.disabled && tables.faint)}
              data-testid={`agent-${one.card.id}`}
              onClick={() => showPage("agents", one.card.id)}
            >
              <td>
                <div className={styles.who}>
                  <Avatar
                    letters={initials(one.card.nickname)}
                    seed={one.card.id}
                    size={28}
                    absent={one.disabled}
                  />
                  <button type="button" className={tables.name}>
                    {one.card.nickname}
                  </button>
                  {one.card.id === own?.id && (
                    <span className={styles.you}>{t("manage.agent_you")}</span>
                  )}
                </div>
              </td>
              <td>{t(`workbench.role_${one.role}`)}</td>
              <td className={tables.end}>{one.capacity}</td>
              <td className={tables.words}>
                {one.departments.map(names.department).join(t("manage.use_comma"))}
              </td>
              <td className={tables.words}>
                {one.skills.map(names.skill).join(t("manage.use_comma"))}
              </td>
              <td>{t(one.disabled ? "manage.agent_disabled" : "manage.agent_enabled")}</td>
            </tr>
          ))}
          {more.shown < shown.length && <tr key={more.shown} ref={more.mark} />}
        </tbody>
      </table>
    </>
  );
}
