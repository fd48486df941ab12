// Business hours in one line.

import type { BusinessHours } from "../../../../shared/bindings/BusinessHours";
import type { Locale, Translate } from "../../i18n";
import { spansText, weekRuns } from "./spans";

/** A Monday: days of the week are named from here. */
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** 周一 */
export function weekday(locale: Locale, day: number, style: "short" | "long" = "short"): string {
  const format = new Intl.DateTimeFormat(locale, { weekday: style, timeZone: "UTC" });
  return format.format(MONDAY + day * DAY_MS);
}

/** 周一–周五 09:00–18:00 */
export function hoursText(t: Translate, locale: Locale, hours: BusinessHours | null): string {
  if (hours === null) return t("manage.hours_always");
  return weekRuns(hours.week)
    .map(({ from, to, spans }) => {
      const days =
        from === to ? weekday(locale, from) : `${weekday(locale, from)}–${weekday(locale, to)}`;
      return `${days} ${spansText(spans)}`;
    })
    .join(t("manage.use_comma"));
}
