// What is being served, the longest unanswered first.

import { MessagesSquare } from "lucide-react";
import { useMemo } from "react";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import { useT } from "../../i18n";
import { clock } from "../../i18n/format";
import { useRelayNow } from "../../stores/clock";
import { useDepartmentName } from "../../stores/company";
import { useAgentName } from "../../stores/people";
import { Empty } from "../../ui/Empty";
import { Tag } from "../../ui/Tag";
import { WaitingClock } from "../inbox/WaitingClock";
import { type Column, ConversationTable, Visitor } from "./ConversationTable";

interface RunningTableProps {
  running: readonly FloorRunning[];
  total: number;
}

export function RunningTable({ running, total }: RunningTableProps) {
  const t = useT();
  const nameOf = useAgentName();
  const departmentOf = useDepartmentName();
  const columns = useMemo(
    (): Column<FloorRunning>[] => [
      { head: "floor.column_visitor", cell: ({ label }) => <Visitor label={label} /> },
      {
        head: "floor.column_agent",
        cell: ({ agent_id, members }) => (
          <>
            <span>{nameOf(agent_id)}</span>
            {members.length > 0 && (
              <Tag>
                {t("floor.members", { names: members.map(nameOf).join(t("workbench.names_and")) })}
              </Tag>
            )}
          </>
        ),
      },
      {
        head: "floor.column_department",
        as: "wide",
        cell: ({ department_id }) => departmentOf(department_id),
      },
      { head: "floor.column_since", as: "end", cell: ({ since }) => <Length since={since} /> },
      {
        head: "floor.column_waits",
        as: "end",
        cell: ({ unanswered_since }) =>
          unanswered_since === null ? t("floor.none") : <WaitingClock since={unanswered_since} />,
      },
      { head: "floor.column_text", as: "words", cell: ({ text }) => text },
    ],
    [t, nameOf, departmentOf],
  );
  if (running.length === 0) {
    return (
      <Empty
        icon={<MessagesSquare size={26} />}
        title={t("floor.no_running")}
        text={t("floor.no_running_text")}
      />
    );
  }
  return <ConversationTable name="running" rows={running} total={total} columns={columns} />;
}

/** Counts on its own: the row around it need not be drawn for that. */
function Length({ since }: { since: number }) {
  return clock(useRelayNow() - since);
}
