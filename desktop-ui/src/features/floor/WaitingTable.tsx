// Who stands in line, why, and for how long.

import { Users } from "lucide-react";
import type { DepartmentCard } from "../../../../shared/bindings/DepartmentCard";
import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import { useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { openFromFloor } from "../../stores/floor";
import type { People } from "../../stores/people";
import { Empty } from "../../ui/Empty";
import { join } from "../../ui/join";
import { WaitingClock } from "../inbox/WaitingClock";
import styles from "./Table.module.css";

interface WaitingTableProps {
  waiting: readonly FloorWaiting[];
  total: number;
  people: People;
  /** Agents without a free place, by id. */
  full: ReadonlySet<string>;
  departments: readonly DepartmentCard[];
}

export function WaitingTable({ waiting, total, people, full, departments }: WaitingTableProps) {
  const t = useT();
  if (waiting.length === 0) {
    return (
      <Empty
        icon={<Users size={26} />}
        title={t("floor.no_waiting")}
        text={t("floor.no_waiting_text")}
      />
    );
  }
  function why({ own_agent, reason }: FloorWaiting): string {
    if (own_agent !== null) {
      const name = people[own_agent]?.card.nickname ?? t("common.unknown");
      return t(full.has(own_agent) ? "floor.reason_own_agent_full" : "floor.reason_own_agent", {
        name,
      });
    }
    return reason === null ? t("floor.none") : t(`floor.reason_${reason}`);
  }
  return (
    <table className={styles.table} data-testid="waiting-table">
      <thead>
        <tr>
          <th scope="col">{t("floor.column_place")}</th>
          <th scope="col">{t("floor.column_visitor")}</th>
          <th scope="col">{t("floor.column_department")}</th>
          <th scope="col" className={styles.end}>
            {t("floor.column_in_line")}
          </th>
          <th scope="col">{t("floor.column_reason")}</th>
          <th scope="col">{t("floor.column_text")}</th>
        </tr>
      </thead>
      <tbody>
        {waiting.map((one) => (
          <tr
            key={one.conversation_id}
            className={styles.choosable}
            title={t("floor.watch_hint")}
            data-testid={`waiting-${one.conversation_id}`}
            onClick={() => void openFromFloor(one.conversation_id)}
          >
            <td>{one.place}</td>
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
              {one.vip && <span className={join(styles.tag, styles.vip)}>{t("floor.vip")}</span>}
              {one.priority > 0 && (
                <span className={styles.tag}>{t("floor.priority", { count: one.priority })}</span>
              )}
              {one.front && (
                <span className={styles.tag} title={t("floor.front_title")}>
                  {t("floor.front")}
                </span>
              )}
            </td>
            <td>
              {departmentName(
                t,
                departments.find((each) => each.id === one.department_id),
              )}
            </td>
            <td className={styles.end}>
              <WaitingClock since={one.since} />
            </td>
            <td>{why(one)}</td>
            <td className={styles.words}>{one.text}</td>
          </tr>
        ))}
      </tbody>
      {total > waiting.length && (
        <tfoot>
          <tr>
            <td colSpan={6} className={styles.part}>
              {t("floor.shown_part", { shown: waiting.length, count: total })}
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}
