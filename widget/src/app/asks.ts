// What is picked before the chat: a category, a department, an agent (A24, A25). Pure. Where there
// are categories one must be picked before the first message goes; everything else may be left open.

import { isClosed, isOpen } from "./apply";
import type { OutboxItem } from "./outbox";
import type { VisitorAsks, VisitorSnapshot } from "./protocol";

/** Whether a message with these would start a conversation without the category it needs. */
export function lacksCategory(held: VisitorSnapshot | null, asks: VisitorAsks): boolean {
  if (held === null || isOpen(held.conversation)) return false;
  const { categories } = held.site;
  return categories.length > 0 && !categories.includes(asks.category);
}

/** Whether this one waits for the visitor to pick; what was sent once goes again as it was. */
export function waitsForPick(held: VisitorSnapshot | null, item: OutboxItem): boolean {
  return item.leave === null && item.tries === 0 && lacksCategory(held, item.asks);
}

/** Whether the visitor is asked now: before the first message is on its way. */
export function isAsked(held: VisitorSnapshot | null, outbox: readonly OutboxItem[]): boolean {
  if (held === null || isOpen(held.conversation) || isClosed(held)) return false;
  const { categories, departments, agents } = held.site;
  if (categories.length + departments.length + agents.length === 0) return false;
  return !outbox.some(
    (item) => !item.has_arrived && item.state.kind !== "failed" && !waitsForPick(held, item),
  );
}
