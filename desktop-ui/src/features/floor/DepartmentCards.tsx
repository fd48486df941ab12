// The lines, one card a department: whether it is open, who attends it, how long somebody who came
// now would wait, and who stands in front.

import type { Floor } from "../../../../shared/bindings/Floor";
import type { FloorDepartment } from "../../../../shared/bindings/FloorDepartment";
import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { useDepartmentName } from "../../stores/company";
import { join } from "../../ui/join";
import { WaitingClock } from "../inbox/WaitingClock";
import styles from "./DepartmentCards.module.css";
import { minutesText } from "./words";

/** Names shown of a line; the rest is a number. */
const FRONT = 3;
/** From here on an expected wait is said in minutes. */
const MINUTES_FROM_MS = 120_000;

interface DepartmentCardsProps {
  floor: Floor;
  selected: string | null;
  onSelect: (departmentId: string | null) => void;
}

export function DepartmentCards({ floor, selected, onSelect }: DepartmentCardsProps) {
  const t = useT();
  const nameOf = useDepartmentName();
  return (
    <section className={styles.section}>
      <h3>
        {t("floor.departments")} <span>{t("floor.departments_hint")}</span>
      </h3>
      <div className={styles.cards}>
        {floor.departments.map((department) => (
          <Card
            key={department.department_id}
            department={department}
            name={nameOf(department.department_id)}
            line={floor.waiting.filter((one) => one.department_id === department.department_id)}
            selected={selected === department.department_id}
            onSelect={onSelect}
          />
        ))}
      </div>
    </section>
  );
}

interface CardProps {
  department: FloorDepartment;
  name: string;
  line: readonly FloorWaiting[];
  selected: boolean;
  onSelect: (departmentId: string | null) => void;
}

function Card({ department, name, line, selected, onSelect }: CardProps) {
  const t = useT();
  const { department_id, open, waiting, attended_by, free, expected_wait_ms } = department;
  const wait =
    expected_wait_ms === null || expected_wait_ms === 0
      ? null
      : expected_wait_ms < MINUTES_FROM_MS
        ? clock(expected_wait_ms)
        : minutesText(t, expected_wait_ms / 1_000);
  return (
    <button
      type="button"
      className={join(styles.card, selected && styles.selected)}
      aria-pressed={selected}
      data-testid={`department-${department_id}`}
      data-open={open}
      onClick={() => onSelect(selected ? null : department_id)}
    >
      <span className={styles.head}>
        <b>{name}</b>
        {!open && <span className={styles.closed}>{t("floor.closed")}</span>}
        <span className={join(styles.waiting, waiting > 0 && styles.some)}>
          {t("floor.waiting_people", { count: waiting })}
        </span>
      </span>
      <span className={styles.state}>
        {attended_by === 0
          ? t("floor.unattended")
          : t("floor.attended", { agents: attended_by, free })}
      </span>
      {wait !== null && (
        <span className={styles.state}>{t("floor.expected_wait", { time: wait })}</span>
      )}
      {line.slice(0, FRONT).map((one) => (
        <span key={one.conversation_id} className={styles.line}>
          <span>
            {one.place} {t("common.visitor_name", { label: one.label })}
          </span>
          <WaitingClock since={one.since} />
        </span>
      ))}
      {waiting > FRONT && (
        <span className={styles.state}>
          {t("floor.more_waiting", { count: waiting - Math.min(FRONT, line.length) })}
        </span>
      )}
    </button>
  );
}
