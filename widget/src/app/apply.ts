// Events applied to what the visitor holds: the same rules as the protocol crate's `apply`, proved
// on the same golden stories. Pure: values in, values out; what did not change stays identical.

import {
  type AgentCard,
  type Marks,
  SNAPSHOT_MESSAGES_MAX,
  type VisitorConversation,
  type VisitorEvent,
  type VisitorMessage,
  type VisitorSnapshot,
} from "./protocol";

/** The larger of each; what is read was delivered. */
export function mergeMarks(ours: Marks, theirs: Marks): Marks {
  const read = Math.max(ours.read, theirs.read);
  return { delivered: Math.max(ours.delivered, theirs.delivered, read), read };
}

/** Whether a message would join this conversation rather than start another. */
export function isOpen(conversation: VisitorConversation | null | undefined): boolean {
  return conversation ? conversation.status.kind !== "ended" : false;
}

/** Whether the site's online service is off and nothing can begin; what is open goes on (A04). */
export function isClosed(held: VisitorSnapshot | null): boolean {
  return held?.site.enabled === false && !isOpen(held.conversation);
}

/** The snapshot after one event of a delivery; an event of an unknown type changes nothing. */
export function apply(held: VisitorSnapshot, event: VisitorEvent): VisitorSnapshot {
  let next = held;
  if (event.type === "conversation_started") {
    if (held.conversation === null || held.conversation.rev < event.conversation.rev) {
      next = { ...held, conversation: event.conversation };
    }
  } else if (event.type === "message_appended") {
    next = insert(held, event.message);
  } else if (event.type === "agent_changed") {
    next = nameIn(held, event.agent);
  } else if (event.type === "site_changed") {
    next = { ...held, site: event.site };
  }
  const conversation = next.conversation && applyToConversation(next.conversation, event);
  return conversation === next.conversation ? next : { ...next, conversation };
}

function applyToConversation(held: VisitorConversation, event: VisitorEvent): VisitorConversation {
  if (event.position <= held.rev) return held;
  const rev = event.position;
  switch (event.type) {
    case "status_changed":
      return event.conversation_id === held.id ? { ...held, rev, status: event.status } : held;
    case "members_changed":
      return event.conversation_id === held.id ? { ...held, rev, members: event.members } : held;
    case "message_appended": {
      const { conversation_id, seq } = event.message;
      if (conversation_id !== held.id) return held;
      return { ...held, rev, last_seq: Math.max(held.last_seq, seq) };
    }
    case "agent_marked": {
      if (event.conversation_id !== held.id) return held;
      return { ...held, rev, agent_marks: mergeMarks(held.agent_marks, event.marks) };
    }
    case "own_marked": {
      if (event.conversation_id !== held.id) return held;
      return { ...held, rev, own_marks: mergeMarks(held.own_marks, event.marks) };
    }
    default:
      return held;
  }
}

/** The agent's card stands on every message of theirs and where they serve or take part. */
function nameIn(held: VisitorSnapshot, agent: AgentCard): VisitorSnapshot {
  const messages = nameAll(held.messages, agent);
  const { conversation } = held;
  const named = conversation && nameInConversation(conversation, agent);
  if (messages === held.messages && named === conversation) return held;
  return { ...held, messages, conversation: named };
}

function nameInConversation(held: VisitorConversation, agent: AgentCard): VisitorConversation {
  let next = held;
  if (held.members.some(({ id }) => id === agent.id)) {
    const members = held.members.map((member) => (member.id === agent.id ? agent : member));
    next = { ...next, members };
  }
  const { status } = held;
  if (status.kind !== "serving" || status.agent.id !== agent.id) return next;
  return { ...next, status: { ...status, agent } };
}

/** Messages with this card on those the agent wrote. */
export function nameAll<List extends readonly VisitorMessage[]>(
  messages: List,
  agent: AgentCard,
): List | VisitorMessage[] {
  const isBy = ({ author }: VisitorMessage) =>
    author.kind === "agent" &&
    author.agent.id === agent.id &&
    author.agent.nickname !== agent.nickname;
  if (!messages.some(isBy)) return messages;
  return messages.map((message) =>
    isBy(message) ? { ...message, author: { kind: "agent", agent } } : message,
  );
}

/** Own conversations follow each other, so a new message belongs at the end unless it is held. */
function insert(held: VisitorSnapshot, message: VisitorMessage): VisitorSnapshot {
  if (isHeld(held.messages, message)) return held;
  const messages = [...held.messages, message];
  const isFull = messages.length > SNAPSHOT_MESSAGES_MAX;
  if (isFull) messages.shift();
  return { ...held, messages, has_earlier: held.has_earlier || isFull };
}

/** Whether the message, or a later one of its conversation, is in the list. */
export function isHeld(messages: readonly VisitorMessage[], message: VisitorMessage): boolean {
  return messages.some(
    (other) => other.conversation_id === message.conversation_id && other.seq >= message.seq,
  );
}
