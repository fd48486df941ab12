// Notes among staff being written (F05, X08), and to whom the composer writes. The texts are kept
// apart from the drafts of messages from the first key on, so that no slip can make a message of one.

import { create } from "zustand";
import { problemOf, request } from "../host";
import { report } from "./notices";

/** To whom the composer writes. */
export type ComposerMode = "reply" | "whisper";

interface WhispersStore {
  texts: Readonly<Record<string, string>>;
  /** What the person chose, by conversation. */
  modes: Readonly<Record<string, ComposerMode>>;
  /** Conversations whose note is on its way. */
  sending: readonly string[];
}

const NONE: WhispersStore = { texts: {}, modes: {}, sending: [] };

/** Notes being written. */
export const useWhispers = create<WhispersStore>(() => NONE);

/** Forgets all texts: another account, or none. */
export function resetWhispers(): void {
  useWhispers.setState(NONE);
}

/** Chooses to whom the composer writes. */
export function setMode(conversationId: string, mode: ComposerMode): void {
  useWhispers.setState(({ modes }) => ({ modes: { ...modes, [conversationId]: mode } }));
}

/** The person typed. Whoever types a whisper stays in it, whatever changes around it. */
export function writeWhisper(conversationId: string, text: string): void {
  useWhispers.setState(({ texts, modes }) => ({
    texts: { ...texts, [conversationId]: text },
    modes: { ...modes, [conversationId]: "whisper" },
  }));
}

/** The reader stands differently now, and what they did says so: back to replying, unless a whisper is
 * being written. */
export function backToReply(conversationId: string): void {
  const { texts } = useWhispers.getState();
  if ((texts[conversationId] ?? "").trim() === "") setMode(conversationId, "reply");
}

/** Sends the note; its text leaves the field when the relay has it. */
export async function sendWhisper(conversationId: string): Promise<void> {
  const { texts, sending } = useWhispers.getState();
  const text = texts[conversationId] ?? "";
  if (text.trim() === "" || sending.includes(conversationId)) return;
  useWhispers.setState({ sending: [...sending, conversationId] });
  try {
    await request("add_note", { conversation_id: conversationId, text: text.trim() });
    useWhispers.setState((held) =>
      // What was typed meanwhile is the next one.
      held.texts[conversationId] === text ? { texts: { ...held.texts, [conversationId]: "" } } : {},
    );
  } catch (error) {
    report(problemOf(error), "notes.not_sent");
  } finally {
    useWhispers.setState((held) => ({
      sending: held.sending.filter((one) => one !== conversationId),
    }));
  }
}
