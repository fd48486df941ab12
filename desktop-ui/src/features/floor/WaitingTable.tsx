// Who stands in line, why, and for how long.

import { Users } from "lucide-react";
import { useMemo } from "react";
import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import { useT } from "../../i18n";
import { useDepartmentName } from "../../stores/company";
import { useAgentName } from "../../stores/people";
import { Empty } from "../../ui/Empty";
import { Tag } from "../../ui/Tag";
import { WaitingClock } from "../inbox/WaitingClock";
import { type Column, ConversationTable, Visitor } from "./ConversationTable";

interface WaitingTableProps {
  waiting: readonly FloorWaiting[];
  total: number;
  /** Agents without a free place: their ids, one after the other. */
  full: string;
}

export function WaitingTable({ waiting, total, full }: WaitingTableProps) {
  const t = useT();
  const nameOf = useAgentName();
  const departmentOf = useDepartmentName();
  const columns = useMemo((): Column<FloorWaiting>[] => {
    const isFull = new Set(full.split(" "));
    function why({ own_agent, reason }: FloorWaiting): string {
      if (own_agent === null)
        return reason === null ? t("floor.none") : t(`floor.reason_${reason}`);
      const name = nameOf(own_agent);
      return t(isFull.has(own_agent) ? "floor.reason_own_agent_full" : "floor.reason_own_agent", {
        name,
      });
    }
    return [
      { head: "floor.column_place", cell: ({ place }) => place },
      {
        head: "floor.column_visitor",
        cell: ({ label, vip, priority, front }) => (
          <Visitor label={label}>
            {vip && <Tag tone="vip">{t("workbench.vip")}</Tag>}
            {priority > 0 && <Tag>{t("floor.priority", { count: priority })}</Tag>}
            {front && <Tag tone="warn">{t("queue.front")}</Tag>}
          </Visitor>
        ),
      },
      {
        head: "floor.column_department",
        cell: ({ department_id }) => departmentOf(department_id),
      },
      {
        head: "floor.column_in_line",
        as: "end",
        cell: ({ since }) => <WaitingClock since={since} title={t("queue.waited")} />,
      },
      { head: "floor.column_reason", cell: why },
      { head: "floor.column_text", as: "words", cell: ({ text }) => text },
    ];
  }, [t, nameOf, full, departmentOf]);
  if (waiting.length === 0) {
    return (
      <Empty
        icon={<Users size={26} />}
        title={t("floor.no_waiting")}
        text={t("floor.no_waiting_text")}
      />
    );
  }
  return <ConversationTable name="waiting" rows={waiting} total={total} columns={columns} />;
}
