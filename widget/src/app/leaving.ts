// When a leave-message can be left, when its form opens by itself, and what goes with it (H03). Pure.

import { isClosed } from "./apply";
import type { ChatState } from "./client";
import type { Translate } from "./i18n";
import { isNobodyThere } from "./place";
import { TEXT_CHARS_MAX, type VisitorSnapshot } from "./protocol";
import { companyWords } from "./words";

/**
 * What the visitor wants of the form. Closed it stays while things stand as they did; open until
 * an agent answers: who fills it in is not disturbed by the line.
 */
export interface LeaveWish {
  of: string;
  is_open: boolean;
}

/** Whether a wish is of other days. */
export function isPast(wish: LeaveWish, held: VisitorSnapshot): boolean {
  return wish.is_open ? !mayLeave(held) : wish.of !== standingOf(held);
}

/** How things stand, as far as a wish holds. */
export function standingOf(held: VisitorSnapshot): string {
  return `${held.conversation?.id ?? ""}:${held.conversation?.status.kind ?? ""}`;
}

/** Nobody answers now, and the relay keeps what is left. */
export function mayLeave(held: VisitorSnapshot | null): held is VisitorSnapshot {
  if (held === null || isClosed(held)) return false;
  const kind = held.conversation?.status.kind ?? "ended";
  return kind === "waiting" || kind === "ended";
}

/** Whether the form is open: as the visitor wishes, else where nobody is there. */
export function isLeaving(state: ChatState, wish: LeaveWish | null): boolean {
  const { held } = state;
  if (!mayLeave(held)) return false;
  if (wish?.is_open) return true;
  if (wish?.of === standingOf(held)) return false;
  const is_left = state.outbox.some(({ leave, has_arrived }) => leave !== null && !has_arrived);
  return isNobodyThere(held) && !is_left;
}

/** Whether the newest conversation ended with what the visitor left, not by the company's patience. */
export function isLeft(state: ChatState): boolean {
  const id = state.held?.conversation?.id;
  const left = new Set(state.outbox.filter((item) => item.leave).map((item) => item.client_id));
  return state.timeline.messages.some(
    (message) => message.conversation_id === id && left.has(message.client_id),
  );
}

/** What was said and nobody answered or will: it is left if nothing is added to it. */
export function unanswered(state: ChatState): string {
  const conversation = state.held?.conversation;
  const status = conversation?.status;
  const is_filed = status?.kind === "ended" && status.by === "leave_message" && !isLeft(state);
  if (!conversation || (status?.kind !== "waiting" && !is_filed)) return "";
  const said: string[] = [];
  for (const { conversation_id, author, content } of [...state.timeline.messages].reverse()) {
    if (conversation_id !== conversation.id || author.kind === "agent") break;
    if (author.kind === "me" && content.kind === "text") said.unshift(content.text);
  }
  return [...said.join("\n")].slice(0, TEXT_CHARS_MAX).join("");
}

/** Why a message is left, in the company's words or the widget's. */
export function whyLeave({ held }: ChatState, t: Translate): string {
  const status = held?.conversation?.status;
  const reason = status?.kind === "waiting" ? status.reason : null;
  const own = (text: string | undefined) => companyWords(text, {}, t);
  if (reason === "nobody_online") return own(held?.site.prompts.nobody_online) ?? t("leave_nobody");
  if (reason === "closed") return own(held?.site.prompts.closed) ?? t("leave_closed");
  return t("leave_any");
}
