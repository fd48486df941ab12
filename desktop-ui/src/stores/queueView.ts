// How a manager looks at the line: in which order, and what each row tells (B16).

import type { ListKind } from "./lists";

/** What the list may be sorted by. */
export type QueueOrder = "wait" | "priority" | "department" | "place";
/** What a row may tell beside who waits and how long. */
export type QueueColumn = "department" | "place" | "reason" | "priority" | "text";

/** The line as a list. */
export const QUEUE: ListKind<QueueColumn, QueueOrder> = {
  name: "queue",
  columns: ["department", "place", "reason", "priority", "text"],
  sorts: ["wait", "priority", "department", "place"],
  usual: { columns: ["department", "place", "reason", "text"], sort: "wait", reversed: false },
};
