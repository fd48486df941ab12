// Everybody at work, live: presence and since when, load, who waits for an answer, and today's work.

import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef } from "react";
import type { DepartmentCard } from "../../../../shared/bindings/DepartmentCard";
import { type Translate, useLocale, useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { useNow, useRelayNow } from "../../stores/clock";
import type { ListView } from "../../stores/lists";
import { same } from "../../stores/same";
import { Avatar, initials } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { Load } from "../../ui/Load";
import { useMore } from "../../ui/useMore";
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
  const elapsed = useNow() - receivedAt;
  const names = useMemo(
    () => new Map(departments.map((one) => [one.id, departmentName(t, one)])),
    [departments, t],
  );
  const select = useRef(onSelect);
  useEffect(() => {
    select.current = onSelect;
  }, [onSelect]);
  const { shown, mark } = useMore(rows.length);
  const onRow = useCallback((agentId: string) => select.current(agentId), []);
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
        {rows.slice(0, shown).map((row) => (
          <Row
            key={row.agent.agent_id}
            t={t}
            told={toldOf(t, row, names, elapsed)}
            columns={view.columns}
            selected={selected === row.agent.agent_id}
            onSelect={onRow}
          />
        ))}
        {shown < rows.length && <tr key={shown} ref={mark} />}
      </tbody>
    </table>
  );
}

/** What a row says: words and numbers, so that one which says the same is not drawn again. */
function toldOf(t: Translate, row: AgentRow, names: ReadonlyMap<string, string>, elapsed: number) {
  const { agent, name, presence, unansweredSince } = row;
  const day = liveDay(agent, elapsed);
  return {
    id: agent.agent_id,
    name,
    presence,
    unansweredSince,
    where: row.departments.flatMap((id) => names.get(id) ?? []).join(" · "),
    since: agent.since,
    running: agent.running,
    capacity: agent.capacity,
    unanswered: agent.unanswered,
    served: day.served,
    first_response: responseText(t, day.first_response_ms),
    online: minutesText(t, day.online_s),
    busy: minutesText(t, day.busy_s),
    rest: minutesText(t, day.away_s),
  };
}
type Told = ReturnType<typeof toldOf>;

interface RowProps {
  t: Translate;
  told: Told;
  columns: readonly AgentColumn[];
  selected: boolean;
  onSelect: (agentId: string) => void;
}

/** Two hundred of them, every second: drawn again only for other words. Clocks count on their own. */
const Row = memo(
  function Row({ t, told, columns, selected, onSelect }: RowProps) {
    const { id, presence } = told;
    const cells = cellsOf(t, told);
    return (
      <tr
        className={join(
          styles.choosable,
          selected && styles.selected,
          presence === "offline" && styles.faint,
        )}
        data-testid={`agent-row-${id}`}
        data-presence={presence}
        onClick={() => onSelect(id)}
      >
        <td>
          <Who told={told} open={selected} />
        </td>
        {columns.map((column) => (
          <td key={column} className={classOf(column)}>
            {cells[column]()}
          </td>
        ))}
      </tr>
    );
  },
  (a, b) =>
    a.t === b.t &&
    a.columns === b.columns &&
    a.selected === b.selected &&
    a.onSelect === b.onSelect &&
    same(a.told, b.told),
);

function classOf(column: string): string {
  return join(AT_END.includes(column) && styles.end, WIDE.includes(column) && styles.wide);
}

function Who({ told, open }: { told: Told; open: boolean }) {
  const { id, name, where, presence } = told;
  return (
    <div className={styles.who}>
      <Avatar letters={initials(name)} seed={id} size={28} absent={presence === "offline"} />
      <div className={styles.names}>
        <button
          type="button"
          className={styles.name}
          title={name}
          aria-expanded={open}
          data-agent={id}
        >
          {name}
        </button>
        <span title={where}>{where}</span>
      </div>
    </div>
  );
}

function cellsOf(t: Translate, told: Told): Record<AgentColumn, () => ReactNode> {
  const { running, capacity } = told;
  return {
    presence: () => (
      <>
        <PresenceMark presence={told.presence} />
        <Since at={told.since} />
      </>
    ),
    load: () => (
      <Load
        running={running}
        capacity={capacity}
        label={t("floor.load_is", { running, capacity })}
      />
    ),
    unanswered: () => <Unanswered count={told.unanswered} since={told.unansweredSince} />,
    served: () => told.served,
    first_response: () => told.first_response,
    online: () => told.online,
    busy: () => told.busy,
    rest: () => told.rest,
  };
}

/** Since when, counted on its own. */
function Since({ at }: { at: number }) {
  return <span className={styles.since}>{sinceText(useLocale(), at, useRelayNow())}</span>;
}

function Unanswered({ count, since }: { count: number; since: number | null }) {
  const t = useT();
  if (since === null) return count > 0 ? count : t("floor.none");
  return (
    <span title={t("floor.unanswered_count", { count })}>
      {count > 1 && <span className={styles.times}>{count} ×</span>}
      <WaitingClock since={since} />
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
