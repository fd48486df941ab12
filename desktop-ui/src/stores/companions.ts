// Who else has the open conversation open, and who of them types (X10). Of other conversations
// nothing is kept.

import { create } from "zustand";
import { useChat } from "./chat";

interface Companions {
  conversationId: string | null;
  reading: readonly string[];
  typing: readonly string[];
}

const NOBODY: Companions = { conversationId: null, reading: [], typing: [] };

const useStore = create<Companions>(() => NOBODY);

/** The core said who else is there. */
export function applyCompanions(
  conversationId: string,
  reading: readonly string[],
  typing: readonly string[],
): void {
  useStore.setState({ conversationId, reading, typing });
}

/** Forgets everybody. */
export function resetCompanions(): void {
  useStore.setState(NOBODY);
}

/** Who else has the open conversation open. */
export function useCompanions(): Omit<Companions, "conversationId"> {
  const open = useChat((state) => state.conversationId);
  const held = useStore();
  return held.conversationId === open ? held : NOBODY;
}
