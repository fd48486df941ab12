// When a waiting visitor becomes a warning and then an alarm.

/** From here on the clock is amber, in milliseconds. */
export const WARN_AFTER_MS = 60_000;
/** From here on it is red. */
export const ALARM_AFTER_MS = 180_000;

/** How urgent a wait is; each level has its own icon, colour never speaks alone. */
export type WaitingLevel = "calm" | "warn" | "alarm";

/** The level of a wait of this length. */
export function waitingLevel(waitedMs: number): WaitingLevel {
  if (waitedMs >= ALARM_AFTER_MS) return "alarm";
  return waitedMs >= WARN_AFTER_MS ? "warn" : "calm";
}
