// Example data: builders with valid defaults, and the people of our tests. Vera and Viktor are
// visitors, Ana and Ben are agents; their ids are far apart so that mixed-up ones show.

import type { AgentCard } from "../../shared/bindings/AgentCard";
import type { ColleagueCard } from "../../shared/bindings/ColleagueCard";
import type { Company } from "../../shared/bindings/Company";
import type { Floor } from "../../shared/bindings/Floor";
import type { FloorAgent } from "../../shared/bindings/FloorAgent";
import type { FloorWaiting } from "../../shared/bindings/FloorWaiting";
import type { IncomingInvitation } from "../../shared/bindings/IncomingInvitation";
import type { Invitation } from "../../shared/bindings/Invitation";
import type { Message } from "../../shared/bindings/Message";
import type { Note } from "../../shared/bindings/Note";
import type { OwnCard } from "../../shared/bindings/OwnCard";
import type { Chat } from "../../shared/bindings/ui/Chat";
import type { ChatHead } from "../../shared/bindings/ui/ChatHead";
import type { Connection } from "../../shared/bindings/ui/Connection";
import type { InboxRow } from "../../shared/bindings/ui/InboxRow";
import type { OutboxItem } from "../../shared/bindings/ui/OutboxItem";
import type { Preferences } from "../../shared/bindings/ui/Preferences";
import type { UiState } from "../../shared/bindings/ui/UiState";
import type { VisitorCard } from "../../shared/bindings/VisitorCard";

/** A Sunday morning, 10:00 by UTC: examples count from here. */
export const TEN_O_CLOCK = Date.UTC(2026, 10, 22, 10, 0, 0);

export const ana: AgentCard = { id: "agent-1000", nickname: "Ana" };
export const ben: AgentCard = { id: "agent-2000", nickname: "Ben" };

export const vera: VisitorCard = {
  id: "visitor-3000",
  site_id: "site-1",
  site_name: "云洁商城",
  label: "3F2A",
  page_url: "https://shop.example/p/88",
  page_title: "云洁 X20 Pro",
  locale: "zh-CN",
};
export const viktor: VisitorCard = { ...vera, id: "visitor-4000", label: "81C0", locale: "en" };

export function ownCard(change: Partial<OwnCard> = {}): OwnCard {
  return {
    id: ana.id,
    account: "ana",
    nickname: ana.nickname,
    role: "agent",
    availability: "online",
    capacity: 8,
    departments: ["default"],
    skills: [],
    auto_replies: { ask_visitor: "", warn_visitor: "", explain_delay: "" },
    ...change,
  };
}

/** A colleague: Ben, unless changed. */
export function colleague(change: Partial<ColleagueCard> = {}): ColleagueCard {
  return {
    card: ben,
    role: "agent",
    availability: "online",
    capacity: 4,
    departments: ["default"],
    skills: [],
    disabled: false,
    ...change,
  };
}

/** A message of the visitor. */
export function visitorSays(seq: number, text: string, change: Partial<Message> = {}): Message {
  const at = TEN_O_CLOCK + seq * 1_000;
  return {
    seq,
    client_id: `visitor-message-${seq}`,
    author: { kind: "visitor" },
    content: { kind: "text", text },
    at,
    visitor_count: seq,
    unanswered_since: at,
    ...change,
  };
}

/** A message of an agent. */
export function agentSays(
  seq: number,
  text: string,
  agent: AgentCard = ana,
  change: Partial<Message> = {},
): Message {
  return visitorSays(seq, text, {
    client_id: `${agent.id}-message-${seq}`,
    author: { kind: "agent", agent_id: agent.id },
    unanswered_since: null,
    ...change,
  });
}

/** A system line: an agent joined. */
export function joined(seq: number, agent: AgentCard = ana): Message {
  return visitorSays(seq, "", {
    client_id: `system-${seq}`,
    author: { kind: "system" },
    content: { kind: "notice", notice: { kind: "agent_joined", agent } },
  });
}

export function chatHead(change: Partial<ChatHead> = {}): ChatHead {
  return {
    history: 0,
    edition: 0,
    visitor: vera,
    status: { kind: "serving", agent_id: ana.id },
    held: true,
    standing: "serving",
    department_id: "default",
    vip: false,
    members: [],
    invitations: [],
    visitor_online: true,
    started_at: TEN_O_CLOCK,
    first_response_at: null,
    unanswered_since: null,
    visitor_marks: { delivered: 0, read: 0 },
    own_read: 0,
    preview: "",
    ...change,
  };
}

export function chat(change: Partial<Chat> = {}): Chat {
  return {
    conversation_id: "conversation-1",
    head: chatHead(),
    messages: [],
    notes: [],
    has_earlier: false,
    outbox: [],
    draft: "",
    agents: [ana],
    ...change,
  };
}

export function outboxItem(client_id: string, change: Partial<OutboxItem> = {}): OutboxItem {
  return {
    client_id,
    conversation_id: "conversation-1",
    text: "hello",
    at: TEN_O_CLOCK,
    state: { kind: "queued" },
    may_discard: true,
    ...change,
  };
}

export function inboxRow(conversation_id: string, change: Partial<InboxRow> = {}): InboxRow {
  return {
    conversation_id,
    visitor: vera,
    visitor_online: true,
    said: visitorSays(1, "hello"),
    unread: 0,
    unanswered_since: null,
    preview: "",
    draft: "",
    unsent: 0,
    send_failed: false,
    standing: "serving",
    department_id: "default",
    vip: false,
    ledger: null,
    order: { group: 1, key: 0 },
    ...change,
  };
}

export function connection(change: Partial<Connection> = {}): Connection {
  return {
    state: "connected",
    since: TEN_O_CLOCK,
    latency_ms: 28,
    clock_offset_ms: 0,
    unsent: 0,
    ...change,
  };
}

/** A note of a colleague, after a message. */
export function note(id: string, after: number, change: Partial<Note> = {}): Note {
  return { id, agent_id: ben.id, text: "hint", at: TEN_O_CLOCK + after * 1_000, after, ...change };
}

/** An invitation of Ben to Ana. */
export function invitation(id: string, change: Partial<Invitation> = {}): Invitation {
  return {
    id,
    conversation_id: "conversation-1",
    from: ben.id,
    to: { kind: "agent", agent_id: ana.id },
    kind: "transfer",
    note: "",
    offered_to: ana.id,
    expires_at: TEN_O_CLOCK + 60_000,
    ...change,
  };
}

/** An invitation as the one who is asked gets it. */
export function incoming(id: string, change: Partial<Invitation> = {}): IncomingInvitation {
  return { rev: 1, invitation: invitation(id, change), visitor: vera, said: null };
}

/** One agent of the floor. */
export function floorAgent(agent_id: string, change: Partial<FloorAgent> = {}): FloorAgent {
  return {
    agent_id,
    availability: "online",
    connected: true,
    running: 0,
    capacity: 4,
    unanswered: 0,
    since: TEN_O_CLOCK,
    today: {
      served: 0,
      ended: 0,
      first_response_ms: null,
      online_s: 0,
      busy_s: 0,
      away_s: 0,
    },
    ...change,
  };
}

/** One who waits. */
export function floorWaiting(
  conversation_id: string,
  change: Partial<FloorWaiting> = {},
): FloorWaiting {
  return {
    conversation_id,
    label: "3F2A",
    site_id: "site-1",
    department_id: "default",
    skill_id: null,
    own_agent: null,
    since: TEN_O_CLOCK,
    place: 1,
    reason: "all_full",
    vip: false,
    priority: 0,
    front: false,
    text: "hello",
    ...change,
  };
}

export function floor(change: Partial<Floor> = {}): Floor {
  return {
    agents: [],
    departments: [
      {
        department_id: "default",
        open: true,
        waiting: 0,
        attended_by: 1,
        free: 1,
        expected_wait_ms: null,
      },
    ],
    waiting: [],
    waiting_total: change.waiting?.length ?? 0,
    running: [],
    running_total: change.running?.length ?? 0,
    ...change,
  };
}

export const company: Company = {
  departments: [{ id: "default", name: "" }],
  skills: [],
  attention: { warn_s: 60, red_s: 180 },
  forced_replies: false,
};

export const preferences: Preferences = {
  locale: "zh-CN",
  theme: "light",
  send_key: "enter",
  list_width: 288,
  side_width: 320,
  side_open: true,
  lists: {},
  alerts: {
    sound: true,
    volume: 60,
    notifications: true,
    message_text: true,
    do_not_disturb: false,
    quiet_hours: { on: false, from_min: 1320, to_min: 480 },
  },
};

export function uiState(change: Partial<UiState> = {}): UiState {
  return {
    session: { kind: "signed_in", server: "https://chat.example.com", own: ownCard() },
    connection: connection(),
    inbox: [],
    colleagues: [],
    company,
    sites: [],
    invitations: [],
    alerts: [],
    queue_length: 0,
    preferences,
    ...change,
  };
}
