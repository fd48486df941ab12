// 客服监控: agents, what runs and who waits, live. One department can be looked at alone; an agent
// opens a panel with what runs there.

import { Button, Select } from "antd";
import { CircleAlert } from "lucide-react";
import { useId, useMemo, useState } from "react";
import type { Floor } from "../../../../shared/bindings/Floor";
import { useLocale, useT } from "../../i18n";
import { fullTime } from "../../i18n/format";
import { departmentName, problemText } from "../../i18n/words";
import { useRelayNow } from "../../stores/clock";
import { useCompany } from "../../stores/company";
import { useConnection } from "../../stores/connection";
import { rewatchFloor, useFloor, useFloorWatch } from "../../stores/floor";
import { usePeople } from "../../stores/people";
import { Empty } from "../../ui/Empty";
import { join } from "../../ui/join";
import { AgentPanel } from "./AgentPanel";
import { AgentTable } from "./AgentTable";
import { DepartmentCards } from "./DepartmentCards";
import { FigureStrip } from "./FigureStrip";
import styles from "./FloorBoard.module.css";
import { type AgentSort, agentRows, figuresOf } from "./figures";
import { RunningTable } from "./RunningTable";
import { WaitingTable } from "./WaitingTable";

const TABS = ["agents", "running", "waiting"] as const;
type Tab = (typeof TABS)[number];

/** The Select's value for no department; no id is empty. */
const ALL = "";

export function FloorBoard() {
  const t = useT();
  useFloorWatch();
  const floor = useFloor((state) => state.floor);
  const problem = useFloor((state) => state.problem);
  if (floor !== null) return <Board floor={floor} />;
  return (
    <main className={styles.board} data-testid="floor">
      <header className={styles.head}>
        <h2>{t("floor.title")}</h2>
      </header>
      {problem === null ? (
        <p className={styles.loading}>{t("floor.loading")}</p>
      ) : (
        <Empty
          icon={<CircleAlert size={26} />}
          title={t("floor.failed")}
          text={problemText(t, problem)}
          action={<Button onClick={rewatchFloor}>{t("common.retry")}</Button>}
        />
      )}
    </main>
  );
}

function Live() {
  const t = useT();
  const locale = useLocale();
  const now = useRelayNow();
  const live = useConnection((state) => state.connection.state === "connected");
  const time = fullTime(locale, now).slice(-8);
  return (
    <span className={join(styles.live, !live && styles.stale)} data-testid="floor-live">
      {live ? t("floor.live", { time }) : t("floor.not_live")}
    </span>
  );
}

function Board({ floor }: { floor: Floor }) {
  const t = useT();
  const id = useId();
  const people = usePeople();
  const receivedAt = useFloor((state) => state.receivedAt);
  const departments = useCompany((state) => state.company.departments);
  const [tab, setTab] = useState<Tab>("agents");
  const [chosen, setDepartment] = useState<string | null>(null);
  const [sort, setSort] = useState<AgentSort>("presence");
  const [agentId, setAgent] = useState<string | null>(null);

  const department = departments.some((one) => one.id === chosen) ? chosen : null;
  const rows = useMemo(
    () => agentRows(floor, people, department, sort),
    [floor, people, department, sort],
  );
  const figures = useMemo(() => figuresOf(floor, rows, department), [floor, rows, department]);
  const inDepartment = <T extends { department_id: string }>(all: readonly T[]) =>
    department === null ? all : all.filter((one) => one.department_id === department);
  const running = inDepartment(floor.running);
  const waiting = inDepartment(floor.waiting);
  const full = new Set(
    floor.agents.filter((one) => one.running >= one.capacity).map((one) => one.agent_id),
  );
  const counts = { agents: rows.length, running: figures.running, waiting: figures.waiting };
  const selected = rows.find((row) => row.agent.agent_id === agentId);

  return (
    <main className={styles.module} data-testid="floor">
      <div className={styles.board}>
        <header className={styles.head}>
          <h2>{t("floor.title")}</h2>
          <div
            className={styles.tabs}
            role="tablist"
            aria-label={t("floor.title")}
            onKeyDown={({ key, currentTarget }) => {
              const step = { ArrowRight: 1, ArrowLeft: TABS.length - 1 }[key];
              const next = step && TABS[(TABS.indexOf(tab) + step) % TABS.length];
              if (!next) return;
              setTab(next);
              currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
            }}
          >
            {TABS.map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                id={`${id}-${one}`}
                aria-selected={one === tab}
                tabIndex={one === tab ? 0 : -1}
                data-tab={one}
                aria-controls={`${id}-panel`}
                data-testid={`floor-tab-${one}`}
                onClick={() => setTab(one)}
              >
                {t(`floor.tab_${one}`, { count: counts[one] })}
              </button>
            ))}
          </div>
          <div className={styles.space} />
          <Live />
          {departments.length > 1 && (
            <Select
              value={department ?? ALL}
              options={[
                { value: ALL, label: t("floor.all_departments") },
                ...departments.map((one) => ({ value: one.id, label: departmentName(t, one) })),
              ]}
              aria-label={t("floor.department")}
              className={styles.department ?? ""}
              onChange={(value) => setDepartment(value === ALL ? null : value)}
            />
          )}
        </header>
        <div
          className={styles.content}
          role="tabpanel"
          id={`${id}-panel`}
          aria-labelledby={`${id}-${tab}`}
        >
          {tab === "agents" && (
            <>
              <FigureStrip figures={figures} />
              <AgentTable
                rows={rows}
                departments={departments}
                receivedAt={receivedAt}
                sort={sort}
                selected={agentId}
                onSort={setSort}
                onSelect={(to) => setAgent(to === agentId ? null : to)}
              />
              <DepartmentCards
                floor={floor}
                departments={departments}
                selected={department}
                onSelect={setDepartment}
              />
            </>
          )}
          {tab === "running" && (
            <RunningTable
              running={running}
              total={figures.running}
              people={people}
              departments={departments}
            />
          )}
          {tab === "waiting" && (
            <WaitingTable
              waiting={waiting}
              total={figures.waiting}
              people={people}
              full={full}
              departments={departments}
            />
          )}
        </div>
      </div>
      {tab === "agents" && selected !== undefined && (
        <AgentPanel
          row={selected}
          conversations={floor.running.filter((one) => one.agent_id === selected.agent.agent_id)}
          onClose={() => setAgent(null)}
        />
      )}
    </main>
  );
}
