// What the stream shows, line by line: stored messages, then those on their way, with dividers of
// time between them. Pure; the components only draw it.

import type { ChatState } from "./client";
import type { OutboxItem } from "./outbox";
import type { VisitorMessage } from "./protocol";

/** How far an own message has come. */
export type Mark = "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "wedged";

/** One line. */
export type Line =
  | { kind: "time"; key: string; at: number }
  | {
      kind: "message";
      key: string;
      message: VisitorMessage;
      mark: Mark | null;
      is_last_of: boolean;
      /** Who writes from here on, where several agents do. */
      name: string | null;
      /** The agent who came or wrote last in this conversation. */
      agent: string | null;
    }
  | { kind: "unsent"; key: string; item: OutboxItem; mark: Mark };

const PAUSE_MS = 5 * 60 * 1000;

function markOf(message: VisitorMessage, state: ChatState): Mark | null {
  if (message.author.kind !== "me") return null;
  const conversation = state.held?.conversation;
  if (!conversation || conversation.id !== message.conversation_id) return "sent";
  if (message.seq <= conversation.agent_marks.read) return "read";
  return message.seq <= conversation.agent_marks.delivered ? "delivered" : "sent";
}

/** Who a bubble belongs to, so that neighbours of one author stand together. */
export function authorOf(message: VisitorMessage): string {
  const { author } = message;
  return author.kind === "agent" ? author.agent.id : author.kind;
}

/** Conversations with more than one agent's messages. */
function sharedOf(messages: readonly VisitorMessage[]): Set<string> {
  const first = new Map<string, string>();
  const shared = new Set<string>();
  for (const { author, conversation_id } of messages) {
    if (author.kind !== "agent") continue;
    const other = first.get(conversation_id);
    if (other === undefined) first.set(conversation_id, author.agent.id);
    else if (other !== author.agent.id) shared.add(conversation_id);
  }
  return shared;
}

/** Whom a message tells of, if it tells of an agent who answers. */
function agentIn({ author, content }: VisitorMessage): string | null {
  if (author.kind === "agent") return author.agent.nickname;
  const notice = content.kind === "notice" ? content.notice : null;
  const tells = notice?.kind === "agent_joined" || notice?.kind === "transferred";
  return tells ? notice.agent.nickname : null;
}

/** All lines, oldest first. */
export function linesOf(state: ChatState): Line[] {
  const lines: Line[] = [];
  const { messages } = state.timeline;
  const shown = new Set<string>();
  const shared = sharedOf(messages);
  let before: number | null = null;
  let agent: string | null = null;
  messages.forEach((message, at) => {
    const { client_id, conversation_id, seq } = message;
    shown.add(client_id);
    if (before === null || message.at - before > PAUSE_MS) {
      lines.push({ kind: "time", key: `t${conversation_id}${seq}`, at: message.at });
    }
    before = message.at;
    const next = messages[at + 1];
    const is_last_of = next === undefined || authorOf(next) !== authorOf(message);
    const former = messages[at - 1];
    const is_same = former?.conversation_id === conversation_id;
    agent = agentIn(message) ?? (is_same ? agent : null);
    const is_first_of = !is_same || authorOf(former) !== authorOf(message);
    const { author } = message;
    const is_named = is_first_of && author.kind === "agent" && shared.has(conversation_id);
    const name = is_named ? author.agent.nickname : null;
    // The key of an own message is the same before and after it is stored, so its bubble stays.
    const key = message.author.kind === "me" ? client_id : `${conversation_id}${seq}`;
    lines.push({
      kind: "message",
      key,
      message,
      mark: markOf(message, state),
      is_last_of,
      name,
      agent,
    });
  });
  for (const item of state.outbox) {
    if (item.has_arrived || shown.has(item.client_id)) continue;
    lines.push({ kind: "unsent", key: item.client_id, item, mark: item.state.kind });
  }
  return lines;
}
