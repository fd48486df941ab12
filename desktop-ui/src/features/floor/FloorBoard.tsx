// 客服监控: agents, what runs and who waits, live. One department can be looked at alone; an agent
// opens a panel with what runs there.

import { Button, Select } from "antd";
import { CircleAlert } from "lucide-react";
import { useId, useMemo, useRef, useState } from "react";
import type { Floor } from "../../../../shared/bindings/Floor";
import { useLocale, useT } from "../../i18n";
import { timeWithSeconds } from "../../i18n/format";
import { departmentName, problemText } from "../../i18n/words";
import { useRelayNow } from "../../stores/clock";
import { useCompany } from "../../stores/company";
import { useConnection } from "../../stores/connection";
import { rewatchFloor, useFloor, useFloorWatch } from "../../stores/floor";
import { setListView, toggleColumn, useListView } from "../../stores/lists";
import { usePeople } from "../../stores/people";
import { ColumnsMenu } from "../../ui/ColumnsMenu";
import { Empty } from "../../ui/Empty";
import { join } from "../../ui/join";
import { placeFor } from "../../ui/tabKeys";
import { AgentPanel } from "./AgentPanel";
import { AgentTable } from "./AgentTable";
import { AGENTS, type AgentColumn } from "./agentColumns";
import { DepartmentCards } from "./DepartmentCards";
import { FigureStrip } from "./FigureStrip";
import styles from "./FloorBoard.module.css";
import { agentRows, figuresOf } from "./figures";
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
  const time = timeWithSeconds(locale, now);
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
  const view = useListView(AGENTS);
  const [agentId, setAgent] = useState<string | null>(null);
  const board = useRef<HTMLDivElement>(null);

  const department = departments.some((one) => one.id === chosen) ? chosen : null;
  const rows = useMemo(
    () => agentRows(floor, people, department, view.sort, view.reversed),
    [floor, people, department, view],
  );
  const figures = useMemo(() => figuresOf(floor, rows, department), [floor, rows, department]);
  const inDepartment = <T extends { department_id: string }>(all: readonly T[]) =>
    department === null ? all : all.filter((one) => one.department_id === department);
  const running = inDepartment(floor.running);
  const waiting = inDepartment(floor.waiting);
  const full = floor.agents
    .filter((one) => one.running >= one.capacity)
    .map((one) => one.agent_id)
    .join(" ");
  const counts = { agents: rows.length, running: figures.running, waiting: figures.waiting };
  const selected = rows.find((row) => row.agent.agent_id === agentId);

  /** The keyboard goes back to the row that opened it. */
  function closePanel() {
    setAgent(null);
    board.current?.querySelector<HTMLElement>(`[data-agent="${agentId}"]`)?.focus();
  }

  return (
    <main className={styles.module} data-testid="floor">
      <div className={styles.board} ref={board}>
        <header className={styles.head}>
          <h2>{t("floor.title")}</h2>
          <div
            className={styles.tabs}
            role="tablist"
            aria-label={t("floor.title")}
            onKeyDown={({ key, currentTarget }) => {
              const next = TABS[placeFor(key, TABS.indexOf(tab), TABS.length) ?? -1];
              if (next === undefined) return;
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
          {tab === "agents" && (
            <ColumnsMenu
              label={t("queue.columns")}
              shownWord={t("queue.shown")}
              testId="floor-column"
              columns={AGENTS.columns.map((key) => ({
                key,
                label: t(`floor.column_${key}`),
                shown: view.columns.includes(key),
              }))}
              onToggle={(key) => toggleColumn(AGENTS, key as AgentColumn)}
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
                view={view}
                selected={agentId}
                onSort={(sort) =>
                  setListView(AGENTS, { sort, reversed: sort === view.sort && !view.reversed })
                }
                onSelect={(to) => setAgent(to === agentId ? null : to)}
              />
              <DepartmentCards floor={floor} selected={department} onSelect={setDepartment} />
            </>
          )}
          {tab === "running" && <RunningTable running={running} total={figures.running} />}
          {tab === "waiting" && (
            <WaitingTable waiting={waiting} total={figures.waiting} full={full} />
          )}
        </div>
      </div>
      {tab === "agents" && selected !== undefined && (
        <AgentPanel
          row={selected}
          conversations={floor.running.filter((one) => one.agent_id === selected.agent.agent_id)}
          onClose={closePanel}
        />
      )}
    </main>
  );
}
