// What is being served, the longest unanswered first. A row opens its conversation watched.

import { MessagesSquare } from "lucide-react";
import type { DepartmentCard } from "../../../../shared/bindings/DepartmentCard";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { departmentName } from "../../i18n/words";
import { useRelayNow } from "../../stores/clock";
import { openFromFloor } from "../../stores/floor";
import type { People } from "../../stores/people";
import { Empty } from "../../ui/Empty";
import { WaitingClock } from "../inbox/WaitingClock";
import styles from "./Table.module.css";

interface RunningTableProps {
  running: readonly FloorRunning[];
  total: number;
  people: People;
  departments: readonly DepartmentCard[];
}

export function RunningTable({ running, total, people, departments }: RunningTableProps) {
  const t = useT();
  const now = useRelayNow();
  const name = (agentId: string) => people[agentId]?.card.nickname ?? t("common.unknown");
  if (running.length === 0) {
    return (
      <Empty
        icon={<MessagesSquare size={26} />}
        title={t("floor.no_running")}
        text={t("floor.no_running_text")}
      />
    );
  }
  return (
    <table className={styles.table} data-testid="running-table">
      <thead>
        <tr>
          <th scope="col">{t("floor.column_visitor")}</th>
          <th scope="col">{t("floor.column_agent")}</th>
          <th scope="col" className={styles.wide}>
            {t("floor.column_department")}
          </th>
          <th scope="col" className={styles.end}>
            {t("floor.column_since")}
          </th>
          <th scope="col" className={styles.end}>
            {t("floor.column_waits")}
          </th>
          <th scope="col">{t("floor.column_text")}</th>
        </tr>
      </thead>
      <tbody>
        {running.map((one) => (
          <tr
            key={one.conversation_id}
            className={styles.choosable}
            title={t("floor.watch_hint")}
            data-testid={`running-${one.conversation_id}`}
            onClick={() => void openFromFloor(one.conversation_id)}
          >
            <td>
              <button
                type="button"
                className={styles.name}
                aria-label={t("floor.open_watched", {
                  name: t("common.visitor_name", { label: one.label }),
                })}
              >
                {t("common.visitor_name", { label: one.label })}
              </button>
            </td>
            <td>
              {name(one.agent_id)}
              {one.members.length > 0 && (
                <span className={styles.tag}>
                  {t("floor.members", { names: one.members.map(name).join(" · ") })}
                </span>
              )}
            </td>
            <td className={styles.wide}>
              {departmentName(
                t,
                departments.find((each) => each.id === one.department_id),
              )}
            </td>
            <td className={styles.end}>{clock(now - one.since)}</td>
            <td className={styles.end}>
              {one.unanswered_since === null ? (
                t("floor.none")
              ) : (
                <WaitingClock since={one.unanswered_since} />
              )}
            </td>
            <td className={styles.words}>{one.text}</td>
          </tr>
        ))}
      </tbody>
      {total > running.length && (
        <tfoot>
          <tr>
            <td colSpan={6} className={styles.part}>
              {t("floor.shown_part", { shown: running.length, count: total })}
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}
