// Lengths of time as the boards write them.

import type { Translate } from "../../i18n";

/** 18 分, or 1 小时 5 分. */
export function minutesText(t: Translate, seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("floor.minutes", { count: minutes });
  return t("floor.hours_minutes", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** 21 秒, from two minutes on in minutes; a dash for nothing. */
export function responseText(t: Translate, ms: number | null): string {
  if (ms === null) return t("floor.none");
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? t("floor.seconds", { count: seconds }) : minutesText(t, seconds);
}
