// Everybody at work, live: presence and since when, load, who waits for an answer, and today's work.

import { type ReactNode, useMemo } from "react";
import type { AgentDay } from "../../../../shared/bindings/AgentDay";
import type { DepartmentCard } from "../../../../shared/bindings/DepartmentCard";
import { type Locale, type Translate, useLocale, useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { useNow, useRelayNow } from "../../stores/clock";
import type { ListView } from "../../stores/lists";
import { Avatar, initials } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { Load } from "../../ui/Load";
import { WaitingClock } from "../inbox/WaitingClock";
import { type AgentColumn, AT_END, SORTS, WIDE } from "./agentColumns";
import { type AgentRow, type AgentSort, liveDay } from "./figures";
import { PresenceMark } from "./PresenceMark";
import styles from "./Table.module.css";
import { minutesText, responseText, sinceText } from "./words";

interface AgentTableProps {
  rows: readonly AgentRow[];
  departments: readonly DepartmentCard[];
  receivedAt: number;
  view: ListView<AgentColumn, AgentSort>;
  selected: string | null;
  onSort: (sort: AgentSort) => void;
  onSelect: (agentId: string) => void;
}

export function AgentTable(props: AgentTableProps) {
  const { rows, departments, receivedAt, view, selected, onSort, onSelect } = props;
  const t = useT();
  const locale = useLocale();
  const now = useRelayNow();
  const elapsed = useNow() - receivedAt;
  const names = useMemo(
    () => new Map(departments.map((one) => [one.id, departmentName(t, one)])),
    [departments, t],
  );
  return (
    <table className={styles.table} data-testid="agents-table">
      <thead>
        <tr>
          {["agent" as const, ...view.columns].map((column) => (
            <Head key={column} column={column} view={view} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const { agent_id } = row.agent;
          const cells = cellsOf(row, { t, locale, now, day: liveDay(row.agent, elapsed) });
          return (
            <tr
              key={agent_id}
              className={join(
                styles.choosable,
                selected === agent_id && styles.selected,
                row.presence === "offline" && styles.faint,
              )}
              data-testid={`agent-row-${agent_id}`}
              data-presence={row.presence}
              onClick={() => onSelect(agent_id)}
            >
              <td>
                <Who
                  row={row}
                  places={row.departments.flatMap((id) => names.get(id) ?? [])}
                  open={selected === agent_id}
                />
              </td>
              {view.columns.map((column) => (
                <td key={column} className={classOf(column)}>
                  {cells[column]()}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function classOf(column: string): string {
  return join(AT_END.includes(column) && styles.end, WIDE.includes(column) && styles.wide);
}

interface WhoProps {
  row: AgentRow;
  places: readonly string[];
  open: boolean;
}

function Who({ row, places, open }: WhoProps) {
  const where = places.join(" · ");
  return (
    <div className={styles.who}>
      <Avatar
        letters={initials(row.name)}
        seed={row.agent.agent_id}
        size={28}
        absent={row.presence === "offline"}
      />
      <div className={styles.names}>
        <button
          type="button"
          className={styles.name}
          title={row.name}
          aria-expanded={open}
          data-agent={row.agent.agent_id}
        >
          {row.name}
        </button>
        <span title={where}>{where}</span>
      </div>
    </div>
  );
}

interface Context {
  t: Translate;
  locale: Locale;
  now: number;
  day: AgentDay;
}

function cellsOf(row: AgentRow, context: Context): Record<AgentColumn, () => ReactNode> {
  const { t, locale, now, day } = context;
  const { running, capacity, since } = row.agent;
  return {
    presence: () => (
      <>
        <PresenceMark presence={row.presence} />
        <span className={styles.since}>{sinceText(locale, since, now)}</span>
      </>
    ),
    load: () => (
      <Load
        running={running}
        capacity={capacity}
        label={t("floor.load_is", { running, capacity })}
      />
    ),
    unanswered: () => <Unanswered row={row} />,
    served: () => day.served,
    first_response: () => responseText(t, day.first_response_ms),
    online: () => minutesText(t, day.online_s),
    busy: () => minutesText(t, day.busy_s),
    rest: () => minutesText(t, day.away_s),
  };
}

function Unanswered({ row: { agent, unansweredSince } }: { row: AgentRow }) {
  const t = useT();
  if (unansweredSince === null) return agent.unanswered > 0 ? agent.unanswered : t("floor.none");
  return (
    <span title={t("floor.unanswered_count", { count: agent.unanswered })}>
      {agent.unanswered > 1 && <span className={styles.times}>{agent.unanswered} ×</span>}
      <WaitingClock since={unansweredSince} />
    </span>
  );
}

interface HeadProps {
  column: AgentColumn | "agent";
  view: ListView<AgentColumn, AgentSort>;
  onSort: (sort: AgentSort) => void;
}

function Head({ column, view, onSort }: HeadProps) {
  const t = useT();
  const word = t(`floor.column_${column}`);
  const usual = SORTS[column];
  const sorted = column === view.sort;
  const other = usual === "ascending" ? "descending" : "ascending";
  const direction = view.reversed ? other : usual;
  return (
    <th
      scope="col"
      className={classOf(column)}
      aria-sort={sorted && direction !== undefined ? direction : undefined}
    >
      {usual === undefined ? (
        word
      ) : (
        <button
          type="button"
          className={join(styles.sort, sorted && styles.sorted)}
          title={t("floor.sorted_by", { column: word })}
          data-testid={`sort-${column}`}
          onClick={() => onSort(column as AgentSort)}
        >
          {word}
        </button>
      )}
    </th>
  );
}
