// What is being written, per conversation. The core keeps drafts on disk; this store holds the text
// on screen and hands it over shortly after the last key, and at once when the conversation or the
// window is left. What the person types always wins over what the core had.

import { create } from "zustand";
import { problemOf, request } from "../host";
import { report } from "./notices";

/** Pause after the last key before the draft is written: short enough to survive a crash well. */
const SAVE_AFTER_MS = 400;

interface DraftsStore {
  texts: Readonly<Record<string, string>>;
}

/** Texts being written. */
export const useDrafts = create<DraftsStore>(() => ({ texts: {} }));

/** Texts changed here and not yet handed to the core, with their timers (0: only when asked). */
const unsaved = new Map<string, number>();

function put(conversationId: string, text: string) {
  useDrafts.setState(({ texts }) => ({ texts: { ...texts, [conversationId]: text } }));
}

/** Hands the unsaved text of a conversation over; the answer is whether the core keeps it. */
export async function saveDraft(conversationId: string): Promise<boolean> {
  window.clearTimeout(unsaved.get(conversationId));
  if (!unsaved.delete(conversationId)) return true;
  const text = useDrafts.getState().texts[conversationId] ?? "";
  try {
    await request("set_draft", { conversation_id: conversationId, text });
  } catch (error) {
    const problem = problemOf(error);
    if (problem.kind === "storage") report(problem, "workbench.draft_not_saved");
    // It stays on screen, whatever the core has, and goes the next time that texts are handed over.
    const isShown = useDrafts.getState().texts[conversationId] === text;
    if (isShown && !unsaved.has(conversationId)) unsaved.set(conversationId, 0);
    return false;
  }
  return true;
}

/** The text of a conversation's composer. */
export function useDraft(conversationId: string): string {
  return useDrafts(({ texts }) => texts[conversationId] ?? "");
}

/** The person typed. */
export function writeDraft(conversationId: string, text: string): void {
  put(conversationId, text);
  window.clearTimeout(unsaved.get(conversationId));
  unsaved.set(
    conversationId,
    window.setTimeout(() => void saveDraft(conversationId), SAVE_AFTER_MS),
  );
}

/**
 * Taken before the core is asked for a conversation, this puts the draft of its answer on screen;
 * not if the core had not heard the last of ours when it was asked, or something changed meanwhile.
 */
export function draftLoader(conversationId: string): (text: string) => void {
  const shown = () => useDrafts.getState().texts[conversationId];
  const before = shown();
  const isHeard = !unsaved.has(conversationId);
  return (text) => {
    if (isHeard && !unsaved.has(conversationId) && shown() === before) put(conversationId, text);
  };
}

/** The text went into the outbox, which clears the core's draft. */
export function clearDraft(conversationId: string): void {
  window.clearTimeout(unsaved.get(conversationId));
  unsaved.delete(conversationId);
  put(conversationId, "");
}

/** Puts a text back in front of what is being written: an unsent message taken out for editing. */
export function returnToDraft(conversationId: string, text: string): void {
  const now = useDrafts.getState().texts[conversationId] ?? "";
  writeDraft(conversationId, now.trim() === "" ? text : `${text}\n${now}`);
}

/** Hands every unsaved text over now. */
export async function flushDrafts(): Promise<void> {
  await Promise.all([...unsaved.keys()].map(saveDraft));
}

/** Forgets all texts: another account, or none. */
export function resetDrafts(): void {
  for (const timer of unsaved.values()) window.clearTimeout(timer);
  unsaved.clear();
  useDrafts.setState({ texts: {} });
}
