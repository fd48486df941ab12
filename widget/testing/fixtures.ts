// What the relay would say, for tests: a site without anything set, and a conversation on it.

import type {
  VisitorConversation,
  VisitorPrompts,
  VisitorSite,
  VisitorStatus,
} from "../src/app/protocol";

/** The company set no words of its own. */
export const PROMPTS: VisitorPrompts = {
  waiting: "",
  queued: "",
  nobody_online: "",
  closed: "",
  agent_joined: "",
  agent_changed: "",
  agent_ended: "",
  timed_out: "",
  agent_away: "",
  reconnecting: "",
  offline: "",
  message_left: "",
};

export const SITE: VisitorSite = {
  id: "s",
  name: "云洁",
  welcome: "",
  preview: true,
  enabled: true,
  prompts: PROMPTS,
  categories: [],
  departments: [],
  agents: [],
  begins_on_open: false,
};

/** A conversation as it stands, nothing marked. */
export function conversationOf(
  id: string,
  status: VisitorStatus,
  last_seq = 0,
): VisitorConversation {
  const marks = { delivered: 0, read: 0 };
  return { id, rev: 1, status, agent_marks: marks, own_marks: marks, last_seq, members: [] };
}
