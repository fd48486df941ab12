// Where a visitor stands in line (A30). Pure.

import type { ChatState } from "./client";
import type { VisitorSignal, VisitorSnapshot } from "./protocol";

/** Where a waiting visitor stands in line. */
export type Place = VisitorSignal & { kind: "place" };

/** Nobody is there for the one who waits. */
export function isNobodyThere(held: VisitorSnapshot | null): boolean {
  const status = held?.conversation?.status;
  if (status?.kind !== "waiting") return false;
  return status.reason === "nobody_online" || status.reason === "closed";
}

/** Where the visitor stands, if the relay said so and somebody is there who works the line off. */
export function placeOf({ held, place }: ChatState): Place | null {
  const conversation = held?.conversation;
  if (conversation?.status.kind !== "waiting" || isNobodyThere(held)) return null;
  return place?.conversation_id === conversation.id ? place : null;
}
