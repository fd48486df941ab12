// Questions of a rule: what can be asked, in which groups, a fresh one of each kind, and how one reads
// as a sentence: field, comparison, value.

import type { Ask } from "../../../../shared/bindings/Ask";
import type { Condition } from "../../../../shared/bindings/Condition";
import type { NumberOf } from "../../../../shared/bindings/NumberOf";
import type { TextIs } from "../../../../shared/bindings/TextIs";
import type { TextOf } from "../../../../shared/bindings/TextOf";
import type { Locale, Translate } from "../../i18n";
import { DAY_MINUTES, timeText } from "../../i18n/format";
import { weekday } from "./hoursText";

/** Texts by what they are about. */
export const TEXT_GROUPS = {
  where: ["site", "channel", "page", "landing", "referrer", "keyword"],
  who: ["contact", "group", "language", "country", "province", "city"],
  what: ["category", "product", "product_category", "field"],
  device: ["device", "os", "browser"],
} as const satisfies Record<string, readonly TextOf[]>;

/** See {@link TEXT_GROUPS}. */
export const TEXTS: readonly TextOf[] = Object.values(TEXT_GROUPS).flat();
export const NUMBERS: readonly NumberOf[] = ["visits", "level"];
export const COMPARISONS: readonly TextIs[] = [
  "one_of",
  "contains",
  "starts_with",
  "ends_with",
  "like",
  "known",
];
/** Questions that are only yes or no. */
export const PLAIN = ["returning", "vip", "identified"] as const;

/** The largest number a range may end with: nothing above it is meant. */
export const NUMBER_MAX = 4_294_967_295;

/** What a question asks about, as one word for a select: `text:page`, `number:visits`, `vip`. */
export function subjectOf(ask: Ask): string {
  return ask.kind === "text" || ask.kind === "number" ? `${ask.kind}:${ask.of}` : ask.kind;
}

const isText = (name: string): name is TextOf => (TEXTS as readonly string[]).includes(name);
const isNumber = (name: string): name is NumberOf => (NUMBERS as readonly string[]).includes(name);

/** A fresh question about a subject; what fits of the old one stays. */
export function askAbout(subject: string, old: Ask, department: string): Ask {
  const [kind = "", of = ""] = subject.split(":");
  if (kind === "text" && isText(of)) {
    const keeps = old.kind === "text" && of !== "site" && old.of !== "site";
    const is = keeps ? old.is : of === "site" || of === "category" ? "one_of" : "contains";
    return { kind, of, field: "", is, values: keeps ? old.values : [] };
  }
  if (kind === "number" && isNumber(of)) return { kind, of, from: 2, to: NUMBER_MAX };
  if (kind === "time") return { kind, days: [], span: { from: 540, to: 1_080 } };
  if (kind === "open") return { kind, department_id: department };
  return { kind: kind === "returning" || kind === "identified" ? kind : "vip" };
}

/** The first question of a rule. */
export const FRESH: Condition = {
  not: false,
  ask: { kind: "text", of: "page", field: "", is: "contains", values: [] },
};

/** Names that questions hold as ids. */
export interface Names {
  site: (id: string) => string;
  department: (id: string) => string;
}

/** A condition in three parts; what is not compared has no comparison. */
export interface Sentence {
  subject: string;
  is: string;
  value: string;
}

function daysText(t: Translate, locale: Locale, days: readonly number[]): string {
  if (days.length === 0) return t("manage.every_day");
  return [...days]
    .sort((a, b) => a - b)
    .map((day) => weekday(locale, day))
    .join(t("manage.use_comma"));
}

/** A condition as it is read. */
export function sentenceOf(
  t: Translate,
  locale: Locale,
  { not, ask }: Condition,
  names: Names,
): Sentence {
  const yes = not ? t("manage.no") : t("manage.yes");
  switch (ask.kind) {
    case "text": {
      const values = ask.of === "site" ? ask.values.map(names.site) : ask.values;
      return {
        subject: ask.of === "field" ? ask.field : t(`manage.text_${ask.of}`),
        is: t(not ? `manage.is_not_${ask.is}` : `manage.is_${ask.is}`),
        value: ask.is === "known" ? "" : values.join(t("manage.use_comma")),
      };
    }
    case "number": {
      const range =
        ask.to >= NUMBER_MAX ? t("manage.at_least", { count: ask.from }) : `${ask.from}–${ask.to}`;
      return {
        subject: t(`manage.number_${ask.of}`),
        is: t(not ? "manage.is_not_one_of" : "manage.is_one_of"),
        value: range,
      };
    }
    case "time": {
      const whole = ask.span.from === 0 && ask.span.to === DAY_MINUTES;
      const span = whole ? "" : ` ${timeText(ask.span.from)}–${timeText(ask.span.to)}`;
      return {
        subject: t("manage.ask_time"),
        is: t(not ? "manage.not_in" : "manage.in"),
        value: `${daysText(t, locale, ask.days)}${span}`,
      };
    }
    case "open":
      return {
        subject: names.department(ask.department_id),
        is: "",
        value: t(not ? "manage.open_not" : "manage.open_now"),
      };
    default:
      return { subject: t(`manage.ask_${ask.kind}`), is: "", value: yes };
  }
}
