// Lengths of time as the boards write them.

import type { Locale, Translate } from "../../i18n";
import { clock, rowTime } from "../../i18n/format";

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

/** From here on a length says less than the day it began. */
const LENGTH_MAX_MS = 12 * 3_600_000;

/** Since when: a running clock, later the day; nothing for never. */
export function sinceText(locale: Locale, since: number, now: number): string {
  if (since === 0) return "";
  return now - since < LENGTH_MAX_MS ? clock(now - since) : rowTime(locale, since, now);
}
