// The messages on the screen: the newest ones a snapshot or a delivery brings, and the pages of
// history loaded above them, always one list without a hole.

import { isHeld, nameAll } from "./apply";
import type { AgentCard, HistoryPage, VisitorMessage } from "./protocol";

/** What is shown, oldest first. */
export interface Timeline {
  messages: readonly VisitorMessage[];
  has_earlier: boolean;
}

/** More than this is not kept on a screen; the oldest are had again by scrolling up. */
const MESSAGES_MAX = 600;

/** Cards of agents by their ids. */
export type Names = ReadonlyMap<string, AgentCard>;

export const EMPTY: Timeline = { messages: [], has_earlier: false };

function isSame(a: VisitorMessage, b: VisitorMessage): boolean {
  return a.conversation_id === b.conversation_id && a.seq === b.seq;
}

/** A new message at the end; one that is held already changes nothing. */
export function append(timeline: Timeline, message: VisitorMessage): Timeline {
  if (isHeld(timeline.messages, message)) return timeline;
  const messages = [...timeline.messages, message];
  if (messages.length <= MESSAGES_MAX) return { ...timeline, messages };
  return { messages: messages.slice(-MESSAGES_MAX), has_earlier: true };
}

/**
 * A fresh snapshot's messages. What is held above them stays if the two overlap and the snapshot
 * tells the name of every agent in it; if not, something is unknown (a message between, a name that
 * changed meanwhile), and only the snapshot is shown: the rest is had again by scrolling up.
 */
export function replaceTail(timeline: Timeline, snapshot: Timeline): Timeline {
  const first = snapshot.messages[0];
  if (first === undefined) return snapshot;
  const at = timeline.messages.findIndex((message) => isSame(message, first));
  if (at <= 0) return snapshot;
  const above = timeline.messages.slice(0, at);
  const names = agentsOf(snapshot.messages);
  for (const id of agentsOf(above).keys()) if (!names.has(id)) return snapshot;
  return {
    messages: [...nameEach(above, names), ...snapshot.messages],
    has_earlier: timeline.has_earlier,
  };
}

/** A page of history above what is held; `names` are newer than the page. */
export function prepend(timeline: Timeline, page: HistoryPage, names: Names = new Map()): Timeline {
  const fresh = page.messages.filter(
    (message) => !timeline.messages.some((held) => isSame(held, message)),
  );
  const messages = [...nameEach(fresh, names), ...timeline.messages];
  return { messages, has_earlier: page.has_earlier };
}

/** An agent is named otherwise: on every message held. */
export function rename(timeline: Timeline, agent: AgentCard): Timeline {
  const messages = nameAll(timeline.messages, agent);
  return messages === timeline.messages ? timeline : { ...timeline, messages };
}

function agentsOf(messages: readonly VisitorMessage[]): Names {
  const names = new Map<string, AgentCard>();
  for (const { author } of messages) {
    if (author.kind === "agent") names.set(author.agent.id, author.agent);
  }
  return names;
}

function nameEach(messages: readonly VisitorMessage[], names: Names): readonly VisitorMessage[] {
  return [...names.values()].reduce(nameAll<readonly VisitorMessage[]>, messages);
}
