// The states a visitor's window speaks in, what may be put into each text, and how one reads filled.

import type { VisitorPrompts } from "../../../../shared/bindings/VisitorPrompts";

/** What a text may hold in braces. */
export type Placeholder = "place" | "wait" | "agent";

type State = keyof VisitorPrompts;

/** The states in the order a visitor meets them. */
export const PROMPT_GROUPS: readonly {
  group: "before" | "during" | "after" | "link";
  states: readonly State[];
}[] = [
  { group: "before", states: ["waiting", "queued", "nobody_online", "closed"] },
  { group: "during", states: ["agent_joined", "agent_changed"] },
  { group: "after", states: ["agent_ended", "timed_out", "agent_away", "message_left"] },
  { group: "link", states: ["reconnecting", "offline"] },
];

/** What is known in each state. */
export const PLACEHOLDERS: Record<State, readonly Placeholder[]> = {
  waiting: [],
  queued: ["place", "wait"],
  nobody_online: [],
  closed: [],
  agent_joined: ["agent"],
  agent_changed: ["agent"],
  agent_ended: ["agent"],
  timed_out: [],
  agent_away: ["agent"],
  reconnecting: [],
  offline: [],
  message_left: [],
};

/** A text with its placeholders put in; braces that mean nothing stay as they are. */
export function filled(
  text: string,
  placeholders: readonly Placeholder[],
  values: Record<Placeholder, string>,
): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const known = placeholders.find((one) => one === name);
    return known === undefined ? whole : values[known];
  });
}
