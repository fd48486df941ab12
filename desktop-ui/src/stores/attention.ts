// What asks for attention (X05): the core decides what and how urgent; here is kept what to play now
// and whether the title of the window still asks for a look.

import { create } from "zustand";
import type { AlertKind } from "../../../shared/bindings/ui/AlertKind";
import type { AlertLevel } from "../../../shared/bindings/ui/AlertLevel";
import type { AlertPreferences } from "../../../shared/bindings/ui/AlertPreferences";
import { request } from "../host";
import { onOpenAsked } from "../host/open";
import { openConversation } from "./chat";
import { showModule } from "./modules";
import { setPreferences, usePreferences } from "./preferences";

/** Something to hear. */
export interface Ring {
  /** Grows with each, so that two alike are two. */
  number: number;
  level: AlertLevel;
}

interface AttentionStore {
  ring: Ring | null;
  /** The most urgent that came while nobody looked at the window. */
  asking: AlertLevel | null;
  /** What that was. */
  kind: AlertKind | null;
  /** A person looks at the window. */
  looking: boolean;
}

const URGENCY: readonly AlertLevel[] = ["calm", "warn", "alarm"];

/** What asks for attention. */
export const useAttention = create<AttentionStore>(() => ({
  ring: null,
  asking: null,
  kind: null,
  looking: false,
}));

/** The core tells of something. */
export function applyAttention(kind: AlertKind, level: AlertLevel, sound: boolean): void {
  useAttention.setState(({ ring, asking, kind: before, looking }) => {
    const louder = asking === null || URGENCY.indexOf(level) >= URGENCY.indexOf(asking);
    const asks = !looking && louder;
    return {
      ring: sound ? { number: (ring?.number ?? 0) + 1, level } : ring,
      asking: asks ? level : asking,
      kind: asks ? kind : before,
    };
  });
}

/** A person looks at the window, or no longer. The core tells nothing of what is looked at. */
export async function looking(focused: boolean): Promise<void> {
  useAttention.setState(focused ? { looking: true, asking: null, kind: null } : { looking: false });
  try {
    await request("looking", { focused });
  } catch {
    // Nobody is signed in, or the core starts anew: then it is told again.
  }
}

/** Nothing of another account asks any more. */
export function resetAttention(): void {
  useAttention.setState({ ring: null, asking: null, kind: null });
}

/** Hears that a notification of the system was clicked: its conversation opens. */
export function followClicks(): () => void {
  return onOpenAsked((conversationId) => {
    showModule("reception");
    void openConversation(conversationId);
  });
}

/** Changes how one is told. */
export function setAlerts(change: Partial<AlertPreferences>): void {
  const { alerts } = usePreferences.getState().preferences;
  setPreferences({ alerts: { ...alerts, ...change } });
}
