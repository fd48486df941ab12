// The hours at which nothing sounds (C21). Minutes of the day; an end before its start is of the next day.

import type { QuietHours } from "../../../../shared/bindings/ui/QuietHours";

/** Whether they go on past midnight. */
export function overMidnight({ from_min, to_min }: QuietHours): boolean {
  return to_min < from_min;
}

/** Whether a moment of this computer's day is one of them. */
export function isQuiet(hours: QuietHours, at: number): boolean {
  const { on, from_min, to_min } = hours;
  if (!on || from_min === to_min) return false;
  const day = new Date(at);
  const now = day.getHours() * 60 + day.getMinutes();
  return overMidnight(hours) ? now >= from_min || now < to_min : now >= from_min && now < to_min;
}
