// The order of the waiting list (B16). Whatever it is sorted by, equal rows stand by how long they have
// waited, then by id: no two screens differ and nothing jumps.

import type { FloorWaiting } from "../../../../shared/bindings/FloorWaiting";
import type { QueueOrder } from "../../stores/queueView";

type Compare = (a: FloorWaiting, b: FloorWaiting) => number;

const byWait: Compare = (a, b) =>
  a.since - b.since || (a.conversation_id < b.conversation_id ? -1 : 1);

/** VIPs and who was served before come first by the relay's own rule: that is the place in line. */
const byPlace: Compare = (a, b) => a.place - b.place;
const byPriority: Compare = (a, b) => Number(b.vip) - Number(a.vip) || b.priority - a.priority;

/** Sorted; departments in the order in which they are given. */
export function sortWaiting(
  waiting: readonly FloorWaiting[],
  order: QueueOrder,
  departments: readonly string[],
): FloorWaiting[] {
  const rank = new Map(departments.map((id, at) => [id, at]));
  const rankOf = (row: FloorWaiting) => rank.get(row.department_id) ?? departments.length;
  const compare: Record<QueueOrder, Compare> = {
    wait: byWait,
    priority: (a, b) => byPriority(a, b) || byWait(a, b),
    department: (a, b) => rankOf(a) - rankOf(b) || byPlace(a, b) || byWait(a, b),
    place: (a, b) => byPlace(a, b) || byWait(a, b),
  };
  return [...waiting].sort(compare[order]);
}
