// Who had a conversation and why (X04): asked of the relay when somebody wants to know.

import type { Assignment } from "../../../shared/bindings/Assignment";
import { call, type Problem, problemOf } from "../host";

/** What came of the question. */
export type Explained =
  | { kind: "known"; assignments: readonly Assignment[] }
  | { kind: "failed"; problem: Problem };

/** Who had it and why, oldest first. */
export async function readAssignments(conversationId: string): Promise<Explained> {
  try {
    const { assignments } = await call("assignments", { conversation_id: conversationId });
    return { kind: "known", assignments };
  } catch (error) {
    return { kind: "failed", problem: problemOf(error) };
  }
}
