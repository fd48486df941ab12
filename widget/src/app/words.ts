// The words for each state: the company's where it set some (A15), else the widget's own. Pure.

import { fill, type Translate } from "./i18n";

/** What the gaps of the company's words stand for, as far as it is known. */
export interface Gaps {
  place?: number | undefined;
  wait?: string | null;
  agent?: string | null;
}

/** The company's words, or null if it set none or they speak of a place that is not known. */
export function companyWords(text: string | undefined, gaps: Gaps, t: Translate): string | null {
  if (!text?.trim()) return null;
  if (gaps.place === undefined && text.includes("{place}")) return null;
  return fill(text, {
    place: gaps.place ?? "",
    wait: gaps.wait ?? t("wait_unknown"),
    agent: gaps.agent ?? t("agent"),
  });
}

/** An expected wait in whole minutes, later hours; null if nothing is known. */
export function waitWords(ms: number | null, t: Translate): string | null {
  if (ms === null || ms < 0) return null;
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  return minutes <= 90
    ? t("wait_minutes", { count: minutes })
    : t("wait_hours", { count: Math.round(minutes / 60) });
}
