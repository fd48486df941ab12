// The visitor's side of the wire, as generated from the protocol crate, and the limits both ends
// know. Nothing is decided here.

export type { AgentCard } from "../../../shared/bindings/AgentCard";
export type { AutoReply } from "../../../shared/bindings/AutoReply";
export type { DepartmentCard } from "../../../shared/bindings/DepartmentCard";
export type { EndedBy } from "../../../shared/bindings/EndedBy";
export type { EnterAsVisitor } from "../../../shared/bindings/EnterAsVisitor";
export type { ErrorCode } from "../../../shared/bindings/ErrorCode";
export type { HistoryPage } from "../../../shared/bindings/HistoryPage";
export type { Marks } from "../../../shared/bindings/Marks";
export type { PageContext } from "../../../shared/bindings/PageContext";
export type { Reply } from "../../../shared/bindings/Reply";
export type { ReturnTicket } from "../../../shared/bindings/ReturnTicket";
export type { SystemNotice } from "../../../shared/bindings/SystemNotice";
export type { VisitorAsks } from "../../../shared/bindings/VisitorAsks";
export type { VisitorCommand } from "../../../shared/bindings/VisitorCommand";
export type { VisitorConversation } from "../../../shared/bindings/VisitorConversation";
export type { VisitorEntered } from "../../../shared/bindings/VisitorEntered";
export type { VisitorEvent } from "../../../shared/bindings/VisitorEvent";
export type { VisitorFrame } from "../../../shared/bindings/VisitorFrame";
export type { VisitorMessage } from "../../../shared/bindings/VisitorMessage";
export type { VisitorPrompts } from "../../../shared/bindings/VisitorPrompts";
export type { VisitorSignal } from "../../../shared/bindings/VisitorSignal";
export type { VisitorSite } from "../../../shared/bindings/VisitorSite";
export type { VisitorSnapshot } from "../../../shared/bindings/VisitorSnapshot";
export type { VisitorStatus } from "../../../shared/bindings/VisitorStatus";
export type { WaitingReason } from "../../../shared/bindings/WaitingReason";
export type { WireError } from "../../../shared/bindings/WireError";

import type { ErrorCode } from "../../../shared/bindings/ErrorCode";

/** The version of the protocol this widget speaks. */
export const PROTOCOL_VERSION = 1;
/** A message's text, in Unicode scalar values. */
export const TEXT_CHARS_MAX = 4000;
/** The name and the contact of a leave-message. */
export const LEAVE_NAME_CHARS_MAX = 64;
export const LEAVE_CONTACT_CHARS_MAX = 128;
/** A typing preview's text. */
export const PREVIEW_CHARS_MAX = 500;
/** Digits of one run that a preview shows. */
export const PREVIEW_DIGITS_SHOWN = 6;
/** Gap between two previews: five a second. */
export const PREVIEW_GAP_MS = 200;
/** After a new link, what is being typed is said once more: an agent's link is back within this. */
export const PREVIEW_AGAIN_MS = 2_500;
/** How long "the agent is typing" is shown when nothing follows. */
export const TYPING_EXPIRES_MS = 10_000;
/** Messages a snapshot holds. */
export const SNAPSHOT_MESSAGES_MAX = 50;
/** Messages of one page of history. */
export const PAGE_MESSAGES = 50;
/** Silence after which the link is dead: twice the relay's heartbeat. */
export const SILENCE_MAX_MS = 20_000;
/** Acknowledged messages are offered again for this long when the relay's history was replaced. */
export const REOFFER_WITHIN_MS = 24 * 60 * 60 * 1000;
/** An unsent message older than this asks its author instead of going by itself. */
export const WEDGED_AFTER_MS = 6 * 24 * 60 * 60 * 1000;

const AGAIN: readonly ErrorCode[] = [
  "too_fast",
  "busy",
  "storage_failed",
  "internal",
  "unavailable",
];

/** Whether the same command, under the same id, may succeed later without any change. */
export function canRetry(code: ErrorCode): boolean {
  return AGAIN.includes(code);
}
