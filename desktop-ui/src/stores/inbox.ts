// The rows of the list. Their order is the core's: group, then key, then conversation id. Rows that
// did not change keep their identity, so that only changed ones are drawn again.

import { create } from "zustand";
import type { InboxRow } from "../../../shared/bindings/ui/InboxRow";
import { problemOf, request } from "../host";
import { confirm, report, warn } from "./notices";

interface InboxStore {
  byId: Readonly<Record<string, InboxRow>>;
  /** Sorted. */
  rows: readonly InboxRow[];
}

/** The list. */
export const useInbox = create<InboxStore>(() => ({ byId: {}, rows: [] }));

/** Sorts before (negative), after (positive); never equal for two conversations. */
export function compareRows(a: InboxRow, b: InboxRow): number {
  return (
    a.order.group - b.order.group ||
    a.order.key - b.order.key ||
    (a.conversation_id < b.conversation_id ? -1 : a.conversation_id > b.conversation_id ? 1 : 0)
  );
}

function sorted(byId: Readonly<Record<string, InboxRow>>): InboxStore {
  return { byId, rows: Object.values(byId).sort(compareRows) };
}

/** All rows anew. */
export function replaceInbox(rows: readonly InboxRow[]): void {
  useInbox.setState(sorted(Object.fromEntries(rows.map((row) => [row.conversation_id, row]))));
}

/** Some rows changed, some left. */
export function applyInbox(upsert: readonly InboxRow[], removed: readonly string[]): void {
  const byId: Record<string, InboxRow> = { ...useInbox.getState().byId };
  for (const row of upsert) byId[row.conversation_id] = row;
  for (const id of removed) delete byId[id];
  useInbox.setState(sorted(byId));
}

/** The live preview of one row: it comes with every key of every visitor, and moves no row. */
export function applyRowPreview(conversationId: string, preview: string): void {
  const { byId, rows } = useInbox.getState();
  const row = byId[conversationId];
  if (row === undefined || row.preview === preview) return;
  const typed = { ...row, preview };
  useInbox.setState({
    byId: { ...byId, [conversationId]: typed },
    rows: rows.map((one) => (one === row ? typed : one)),
  });
}

/** Unviewed messages over all rows: derived, never counted up and down. */
export function useUnreadTotal(): number {
  return useInbox(({ rows }) => rows.reduce((sum, row) => sum + row.unread, 0));
}

/** Conversations the reader serves: what 离开 ends or hands over, and what takes a place. */
export function useServing(): number {
  return useInbox(({ rows }) => rows.filter((row) => row.standing === "serving").length);
}

/** Served conversations whose visitor left (C16). */
export function useLeft(): number {
  return useInbox(
    ({ rows }) => rows.filter((row) => row.standing === "serving" && !row.visitor_online).length,
  );
}

/** Whether a row belongs to the list of what runs: one serves it or takes part. */
export function isRunning(row: InboxRow): boolean {
  return row.standing === "serving" || row.standing === "member";
}

/** Ends every served conversation whose visitor left, and says which stay. */
export async function closeAllLeft(): Promise<void> {
  try {
    const { ended, kept } = await request("close_all_left", {});
    if (ended > 0) confirm("workbench.left_closed", { count: ended });
    if (kept.length > 0) {
      const { byId } = useInbox.getState();
      const names = kept.map((id) => byId[id]?.visitor.label ?? id.slice(-4)).join(" · ");
      warn("workbench.left_kept", { names });
    }
  } catch (error) {
    report(problemOf(error), "workbench.left_not_closed");
  }
}
