// When a waiting visitor becomes a warning and then an alarm: as the company set it (C07).

import type { Attention } from "../../../../shared/bindings/Attention";

/** How urgent a wait is; each level has its own icon, colour never speaks alone. */
export type WaitingLevel = "calm" | "warn" | "alarm";

/** The level of a wait of this length. */
export function waitingLevel(waitedMs: number, attention: Attention): WaitingLevel {
  if (waitedMs >= attention.red_s * 1_000) return "alarm";
  return waitedMs >= attention.warn_s * 1_000 ? "warn" : "calm";
}
