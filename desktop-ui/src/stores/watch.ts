// Conversations of others: watched unseen, entered, taken over, handed back, left (F04, F05, L01).
// A manager watches one at a time, as long as it is open: what is not looked at is not watched, and
// the audit says no more than was true.

import { problemOf, request } from "../host";
import { closeConversation, openConversation, reopenConversation, useChat } from "./chat";
import { showModule } from "./modules";
import { report } from "./notices";
import { showTab } from "./tabs";
import { backToReply } from "./whispers";

let watched: string | null = null;

/** Another account, or none. */
export function resetWatching(): void {
  watched = null;
}

function unwatch(conversationId: string): void {
  request("unwatch_conversation", { conversation_id: conversationId }).catch(() => {
    // The relay forgets it with the link.
  });
}

/** What is no longer open is no longer watched. */
useChat.subscribe(({ conversationId }) => {
  if (watched === null || conversationId === watched) return;
  const before = watched;
  watched = null;
  unwatch(before);
});

/** Follows a conversation unseen, and shows it. */
export async function watchConversation(conversationId: string): Promise<void> {
  showModule("reception");
  if (watched === conversationId) return;
  try {
    await request("watch_conversation", { conversation_id: conversationId });
  } catch (error) {
    report(problemOf(error), "transfer.watch_refused");
    return;
  }
  // The one before is let go by opening this one.
  const isOpen = useChat.getState().conversationId === conversationId;
  const opening = isOpen ? reopenConversation() : openConversation(conversationId);
  watched = conversationId;
  await opening;
}

/** Shows it no longer. */
export function stopWatching(): void {
  closeConversation();
}

/** Does one thing with a conversation; the answer is whether it was done. */
async function act(
  type: "enter_conversation" | "take_over" | "hand_back" | "leave_conversation",
  conversationId: string,
): Promise<boolean> {
  try {
    await request(type, { conversation_id: conversationId });
    backToReply(conversationId);
    return true;
  } catch (error) {
    report(problemOf(error), "transfer.refused");
    return false;
  }
}

/** A manager takes part from now on: it stands among what runs. */
export async function enterConversation(conversationId: string): Promise<boolean> {
  const done = await act("enter_conversation", conversationId);
  if (done) showTab("running");
  return done;
}

/** A manager serves it from now on; it is opened. */
export async function takeOver(conversationId: string): Promise<boolean> {
  const done = await act("take_over", conversationId);
  if (done) {
    showModule("reception");
    showTab("running");
    await openConversation(conversationId);
  }
  return done;
}

/** Puts it back to the front of the line. */
export function handBack(conversationId: string): Promise<boolean> {
  return act("hand_back", conversationId);
}

/** Leaves it to the others who take part. */
export function leaveConversation(conversationId: string): Promise<boolean> {
  return act("leave_conversation", conversationId);
}
