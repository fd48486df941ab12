// The line: how many wait, and what managers do with those who do. Whatever the relay refuses is
// handed back to who asked, because each refusal has its own next step there.

import { create } from "zustand";
import { type Problem, problemOf, request } from "../host";

interface QueueStore {
  /** How many wait in the own departments (B10); `null` while nobody knows. */
  waiting: number | null;
}

/** The line's length. */
export const useQueue = create<QueueStore>(() => ({ waiting: null }));

/** The core said how many wait. */
export function applyQueueLength(waiting: number | null): void {
  useQueue.setState({ waiting });
}

/** Gives a waiting conversation to an agent (B09); the answer is the problem, if any. */
export async function assign(
  conversationId: string,
  agentId: string,
  overCapacity: boolean,
): Promise<Problem | null> {
  try {
    await request("assign", {
      conversation_id: conversationId,
      agent_id: agentId,
      over_capacity: overCapacity,
    });
    return null;
  } catch (error) {
    return problemOf(error);
  }
}
