// Everybody at work, live: presence and since when, load, who waits for an answer, and today's work.

import { useMemo } from "react";
import type { DepartmentCard } from "../../../../shared/bindings/DepartmentCard";
import { useLocale, useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { useNow, useRelayNow } from "../../stores/clock";
import { Avatar, initials } from "../../ui/Avatar";
import { join } from "../../ui/join";
import { Load } from "../../ui/Load";
import { WaitingClock } from "../inbox/WaitingClock";
import { type AgentRow, type AgentSort, liveDay } from "./figures";
import { PresenceMark } from "./PresenceMark";
import styles from "./Table.module.css";
import { minutesText, responseText, sinceText } from "./words";

const COLUMNS: readonly { sort: AgentSort | null; key: string; end?: boolean; wide?: boolean }[] = [
  { key: "agent", sort: "agent" },
  { key: "presence", sort: "presence" },
  { key: "load", sort: "load" },
  { key: "unanswered", sort: "unanswered", end: true },
  { key: "served", sort: "served", end: true },
  { key: "first_response", sort: "first_response", end: true },
  { key: "online", sort: null, end: true, wide: true },
  { key: "busy", sort: null, end: true, wide: true },
  { key: "rest", sort: null, end: true },
];

interface AgentTableProps {
  rows: readonly AgentRow[];
  departments: readonly DepartmentCard[];
  receivedAt: number;
  sort: AgentSort;
  selected: string | null;
  onSort: (sort: AgentSort) => void;
  onSelect: (agentId: string) => void;
}

export function AgentTable(props: AgentTableProps) {
  const { rows, departments, receivedAt, sort, selected, onSort, onSelect } = props;
  const t = useT();
  const locale = useLocale();
  const relayNow = useRelayNow();
  const elapsed = useNow() - receivedAt;
  const names = useMemo(
    () => new Map(departments.map((one) => [one.id, departmentName(t, one)])),
    [departments, t],
  );
  return (
    <table className={styles.table} data-testid="agents-table">
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <Head key={column.key} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const { agent } = row;
          const day = liveDay(agent, elapsed);
          const places = row.departments.map((id) => names.get(id)).filter(Boolean);
          return (
            <tr
              key={agent.agent_id}
              className={join(
                styles.choosable,
                selected === agent.agent_id && styles.selected,
                row.presence === "offline" && styles.faint,
              )}
              data-testid={`agent-row-${agent.agent_id}`}
              data-presence={row.presence}
              onClick={() => onSelect(agent.agent_id)}
            >
              <td>
                <div className={styles.who}>
                  <Avatar
                    letters={initials(row.name)}
                    seed={agent.agent_id}
                    size={28}
                    absent={row.presence === "offline"}
                  />
                  <div className={styles.names}>
                    <button
                      type="button"
                      className={styles.name}
                      aria-expanded={selected === agent.agent_id}
                    >
                      {row.name}
                    </button>
                    <span title={places.join(" · ")}>{places.join(" · ")}</span>
                  </div>
                </div>
              </td>
              <td>
                <PresenceMark presence={row.presence} />
                <span className={styles.since}>{sinceText(locale, agent.since, relayNow)}</span>
              </td>
              <td>
                <Load
                  running={agent.running}
                  capacity={agent.capacity}
                  label={t("floor.load_is", {
                    running: agent.running,
                    capacity: agent.capacity,
                  })}
                />
              </td>
              <td className={styles.end}>
                {row.unansweredSince === null ? (
                  agent.unanswered > 0 ? (
                    agent.unanswered
                  ) : (
                    t("floor.none")
                  )
                ) : (
                  <span title={t("floor.unanswered_count", { count: agent.unanswered })}>
                    {agent.unanswered > 1 && (
                      <span className={styles.times}>{agent.unanswered} ×</span>
                    )}
                    <WaitingClock since={row.unansweredSince} />
                  </span>
                )}
              </td>
              <td className={styles.end}>{day.served}</td>
              <td className={styles.end}>{responseText(t, day.first_response_ms)}</td>
              <td className={join(styles.end, styles.wide)}>{minutesText(t, day.online_s)}</td>
              <td className={join(styles.end, styles.wide)}>{minutesText(t, day.busy_s)}</td>
              <td className={styles.end}>{minutesText(t, day.away_s)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

interface HeadProps {
  column: (typeof COLUMNS)[number];
  sort: AgentSort;
  onSort: (sort: AgentSort) => void;
}

function Head({ column, sort, onSort }: HeadProps) {
  const t = useT();
  const { key, end, wide } = column;
  const word = t(`floor.column_${key as AgentSort | "online" | "busy" | "rest"}`);
  const by = column.sort;
  return (
    <th
      scope="col"
      className={join(end && styles.end, wide && styles.wide)}
      aria-sort={by === sort ? "descending" : undefined}
    >
      {by === null ? (
        word
      ) : (
        <button
          type="button"
          className={join(styles.sort, by === sort && styles.sorted)}
          title={t("floor.sorted_by", { column: word })}
          data-testid={`sort-${by}`}
          onClick={() => onSort(by)}
        >
          {word}
        </button>
      )}
    </th>
  );
}
