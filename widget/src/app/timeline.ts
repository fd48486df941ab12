// The messages on the screen: the newest ones a snapshot or a delivery brings, and the pages of
// history loaded above them, always one list without a hole.

import { isHeld } from "./apply";
import type { HistoryPage, VisitorMessage } from "./protocol";

/** What is shown, oldest first. */
export interface Timeline {
  messages: readonly VisitorMessage[];
  has_earlier: boolean;
}

/** More than this is not kept on a screen; the oldest are had again by scrolling up. */
const MESSAGES_MAX = 600;

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
 * A fresh snapshot's messages. What is held above them stays if the two overlap; if not, something
 * between is unknown, and only the snapshot is shown.
 */
export function replaceTail(timeline: Timeline, snapshot: Timeline): Timeline {
  const first = snapshot.messages[0];
  if (first === undefined) return snapshot;
  const at = timeline.messages.findIndex((message) => isSame(message, first));
  if (at <= 0) return snapshot;
  return {
    messages: [...timeline.messages.slice(0, at), ...snapshot.messages],
    has_earlier: timeline.has_earlier,
  };
}

/** A page of history above what is held. */
export function prepend(timeline: Timeline, page: HistoryPage): Timeline {
  const fresh = page.messages.filter(
    (message) => !timeline.messages.some((held) => isSame(held, message)),
  );
  return { messages: [...fresh, ...timeline.messages], has_earlier: page.has_earlier };
}
