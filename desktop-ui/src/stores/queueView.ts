// How a manager looks at the line: in which order, and what each row tells (B16). As long as the window
// stands.

import { create } from "zustand";

/** What the list may be sorted by. */
export type QueueOrder = "wait" | "priority" | "department" | "place";
/** What a row may tell beside who waits and how long. */
export type QueueColumn = "department" | "place" | "reason" | "priority" | "text";

/** In the order of the menu. */
export const QUEUE_ORDERS: readonly QueueOrder[] = ["wait", "priority", "department", "place"];
/** In the order in which they stand. */
export const QUEUE_COLUMNS: readonly QueueColumn[] = [
  "department",
  "place",
  "reason",
  "priority",
  "text",
];

interface QueueView {
  order: QueueOrder;
  columns: readonly QueueColumn[];
}

/** The chosen view. */
export const useQueueView = create<QueueView>(() => ({
  order: "wait",
  columns: ["department", "place", "reason", "text"],
}));

/** Changes it. */
export function setQueueView(change: Partial<QueueView>): void {
  useQueueView.setState(change);
}
