// The visitors one served last (C05). Asked of the relay whenever the list is shown: nothing of it is
// live. What was there stays on screen while it is asked again.

import { create } from "zustand";
import type { RecentContact } from "../../../shared/bindings/RecentContact";
import { call, type Problem, problemOf, request } from "../host";
import { openConversation } from "./chat";
import { clearDraft, flushDrafts } from "./drafts";
import { report, warn } from "./notices";
import { showTab } from "./tabs";

interface ContactsStore {
  /** The latest first; `null` before the first answer. */
  contacts: readonly RecentContact[] | null;
  /** Why the last question failed. */
  problem: Problem | null;
}

const NOT_YET: ContactsStore = { contacts: null, problem: null };

/** The last 50. */
export const useContacts = create<ContactsStore>(() => NOT_YET);

let asked = 0;

/** Asks again. */
export async function readContacts(): Promise<void> {
  const mine = ++asked;
  try {
    const { contacts } = await call("recent_contacts", {});
    if (mine === asked) useContacts.setState({ contacts, problem: null });
  } catch (error) {
    if (mine === asked) useContacts.setState({ problem: problemOf(error) });
  }
}

/** Another account: nobody is known. */
export function resetContacts(): void {
  asked += 1;
  useContacts.setState(NOT_YET);
}

/**
 * Writes first to a visitor (C05). The text is the draft of the conversation that was read; it stays
 * there until the new one is begun. The answer is whether it was.
 */
export async function startConversation(
  visitorId: string,
  text: string,
  fromConversationId: string,
): Promise<boolean> {
  try {
    const { conversation_id } = await request("start_conversation", {
      visitor_id: visitorId,
      text,
    });
    clearDraft(fromConversationId);
    await flushDrafts();
    showTab("running");
    await openConversation(conversation_id);
    return true;
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === "overtaken") warn("contacts.taken");
    else report(problem, "contacts.not_started");
    return false;
  }
}
