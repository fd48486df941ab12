// The reasons of routing in plain words (X04).

import type { AssignedHow } from "../../../../shared/bindings/AssignedHow";
import type { Candidate } from "../../../../shared/bindings/Candidate";
import type { Cause } from "../../../../shared/bindings/Cause";
import type { TextKey, Translate } from "../../i18n";
import { clock } from "../../i18n/format";

/** Shorter than this is "at once". */
const AT_ONCE_MS = 1_000;

/** Why it needed somebody. */
export function causeText(t: Translate, cause: Cause): string {
  switch (cause.kind) {
    case "waited":
      return cause.for_ms < AT_ONCE_MS
        ? t("explain.cause_waited_none")
        : t("explain.cause_waited", { time: clock(cause.for_ms) });
    case "requeued": {
      const words = t("explain.cause_requeued", { time: clock(cause.for_ms) });
      return cause.why === null ? words : `${words} · ${t(`explain.cause_requeued_${cause.why}`)}`;
    }
    default:
      return t(`explain.cause_${cause.kind}`);
  }
}

/** How a conversation came to an agent, in one line. */
export function howText(t: Translate, how: AssignedHow, nameOf: (id: string) => string): string {
  switch (how.kind) {
    case "routing":
      return causeText(t, how.why.cause);
    case "by_hand":
      return t("explain.by_hand", { name: nameOf(how.by) });
    case "accepted":
      return t("explain.accepted", { name: nameOf(how.from) });
    default:
      return t(`explain.${how.kind}`);
  }
}

/** What decided for the one taken: the last comparison that anybody else lost. */
export function takenReason(candidates: readonly Candidate[]): TextKey {
  const lost = new Set(candidates.map((one) => one.verdict));
  if (lost.has("later_by_id")) return "explain.taken_first";
  if (lost.has("idle_shorter")) return "explain.taken_idle";
  return lost.has("more_loaded") ? "explain.taken_load" : "explain.taken_only";
}
