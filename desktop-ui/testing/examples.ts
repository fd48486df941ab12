// Example data: builders with valid defaults, and the people of our tests. Vera and Viktor are
// visitors, Ana and Ben are agents; their ids are far apart so that mixed-up ones show.

import type { AgentCard } from "../../shared/bindings/AgentCard";
import type { Message } from "../../shared/bindings/Message";
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
    visitor: vera,
    status: { kind: "serving", agent_id: ana.id },
    held: true,
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

export const preferences: Preferences = {
  locale: "zh-CN",
  theme: "light",
  send_key: "enter",
  list_width: 288,
  side_width: 320,
  side_open: true,
};

export function uiState(change: Partial<UiState> = {}): UiState {
  return {
    session: { kind: "signed_in", server: "https://chat.example.com", own: ownCard() },
    connection: connection(),
    inbox: [],
    colleagues: [],
    preferences,
    ...change,
  };
}
