// A colleague who can be chosen, with where they answer and how much they have; and the search above such
// a list, which is there only if there are many.

import { Input } from "antd";
import type { ReactNode } from "react";
import { useT } from "../../i18n";
import { useDepartmentName } from "../../stores/company";
import { Load } from "../../ui/Load";
import type { AgentChoice } from "./choices";
import { Option } from "./Option";
import styles from "./Picker.module.css";

/** With fewer, one sees them all at once. */
const SEARCH_FROM = 7;

interface ColleagueProps {
  /** The radio group's name. */
  group: string;
  /** Whose, in that group. */
  value: string;
  agent: AgentChoice;
  /** Beside the load. */
  mark?: ReactNode;
  chosen: boolean;
  testId: string;
  onChoose: (value: string) => void;
}

export function Colleague({ agent, mark, ...option }: ColleagueProps) {
  const t = useT();
  const departmentOf = useDepartmentName();
  const { running, capacity } = agent;
  return (
    <Option
      {...option}
      name={agent.name}
      detail={agent.departments.map(departmentOf).join(t("workbench.names_and"))}
      figure={
        <>
          {mark}
          <Load
            running={running}
            capacity={capacity}
            label={t("queue.load", { running, capacity })}
          />
        </>
      }
    />
  );
}

interface SearchProps {
  /** How many there are to choose from. */
  count: number;
  typed: string;
  onType: (typed: string) => void;
}

export function Search({ count, typed, onType }: SearchProps) {
  const t = useT();
  if (count < SEARCH_FROM) return null;
  return (
    <Input
      allowClear
      className={styles.search ?? ""}
      value={typed}
      aria-label={t("queue.search")}
      placeholder={t("queue.search")}
      onChange={(event) => onType(event.target.value)}
    />
  );
}
