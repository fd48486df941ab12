// What came of a visitor's wait, in one quiet line (X05).

import type { Ledger } from "../../../../shared/bindings/ui/Ledger";
import type { Locale, Translate } from "../../i18n";
import { timeOfDay } from "../../i18n/format";

/** 已响铃 10:02 · 已查看 10:03 */
export function ledgerLine(t: Translate, locale: Locale, ledger: Ledger): string {
  const parts = [
    [t("attention.shown"), ledger.shown_at],
    [t("attention.sounded"), ledger.sounded_at],
    [t("attention.toasted"), ledger.toasted_at],
    [t("attention.seen"), ledger.seen_at],
    [t("attention.answered"), ledger.answered_at],
  ] as const;
  return parts
    .flatMap(([word, at]) => (at === null ? [] : [`${word} ${timeOfDay(locale, at)}`]))
    .join(" · ");
}
