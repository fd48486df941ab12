// What is wrong with a section before it is sent: the relay's own bounds, so that a form says it
// where it stands. Each problem belongs to a place, named like `rules/rule-1/name`.

import type { Ask } from "../../../../shared/bindings/Ask";
import type { AutoReplyTexts } from "../../../../shared/bindings/AutoReplyTexts";
import type { CompanySettings } from "../../../../shared/bindings/CompanySettings";
import type { DepartmentSettings } from "../../../../shared/bindings/DepartmentSettings";
import type { RuleSettings } from "../../../../shared/bindings/RuleSettings";
import type { SkillCard } from "../../../../shared/bindings/SkillCard";
import type { VisitorPrompts } from "../../../../shared/bindings/VisitorPrompts";
import type { TextKey } from "../../i18n";
import { length } from "./lists";
import { spansProblem, specialProblem } from "./spans";

/** Problems by place. */
export type Problems = Readonly<Record<string, TextKey>>;

/** The department every company begins with: it may have no name. */
export const FIRST_DEPARTMENT = "default";
export const NAME_MAX = 64;
export const WORDS_MAX = 500;
export const CATEGORIES_MAX = 30;
export const CONDITIONS_MAX = 20;
export const VALUES_MAX = 50;
export const VALUE_CHARS_MAX = 200;
export const ENTRIES_MAX = 200;

/** The problem of a name, among the names before it. */
function nameProblem(name: string, others: readonly string[]): TextKey | null {
  const trimmed = name.trim();
  if (trimmed === "") return "manage.name_missing";
  if (length(trimmed) > NAME_MAX) return "manage.name_long";
  const key = trimmed.toLocaleLowerCase();
  return others.some((one) => one.trim().toLocaleLowerCase() === key) ? "manage.name_twice" : null;
}

/** Whether the platform knows a time zone. */
export function isZone(zone: string): boolean {
  try {
    return zone !== "" && new Intl.DateTimeFormat("en", { timeZone: zone }) !== null;
  } catch {
    return false;
  }
}

class Found {
  readonly all: Record<string, TextKey> = {};

  add(place: string, problem: TextKey | null): void {
    if (problem !== null) this.all[place] ??= problem;
  }
}

/** Problems of the company's section. */
export function companyProblems(company: CompanySettings): Problems {
  const found = new Found();
  if (!isZone(company.zone)) found.add("zone", "manage.zone_unknown");
  const names = company.categories.map(({ name }) => name);
  for (const [at, { name }] of company.categories.entries()) {
    found.add(`categories/${at}`, nameProblem(name, names.slice(0, at)));
  }
  const { warn_s, red_s } = company.attention;
  if (warn_s >= red_s) found.add("attention", "manage.attention_order");
  return found.all;
}

/** Problems of one department among all. */
export function departmentProblems(
  department: DepartmentSettings,
  all: readonly DepartmentSettings[],
): Problems {
  const found = new Found();
  const { id, name, hours, silence } = department;
  const others = all.filter((one) => one.id !== id).map((one) => one.name);
  if (id !== FIRST_DEPARTMENT || name.trim() !== "") found.add("name", nameProblem(name, others));
  if (hours !== null) {
    if (hours.zone !== "" && !isZone(hours.zone)) found.add("zone", "manage.zone_unknown");
    hours.week.forEach((spans, day) => {
      found.add(`week/${day}`, spansProblem(spans));
    });
    if (hours.week.every((spans) => spans.length === 0)) found.add("week", "manage.week_empty");
    const special = specialProblem(hours.special);
    if (special !== null) found.add(`special/${special.at}`, special.text);
  }
  if (silence.ask_s !== null && silence.warn_s !== null && silence.ask_s >= silence.warn_s) {
    found.add("silence", "manage.silence_order");
  }
  return found.all;
}

/** Problems of all departments, each place with the department's id in front. */
export function departmentsProblems(all: readonly DepartmentSettings[]): Problems {
  return Object.fromEntries(
    all.flatMap((one) =>
      Object.entries(departmentProblems(one, all)).map(([place, text]) => [
        `${one.id}/${place}`,
        text,
      ]),
    ),
  );
}

/** Problems of the skills, by id. */
export function skillsProblems(skills: readonly SkillCard[]): Problems {
  const found = new Found();
  for (const [at, { id, name }] of skills.entries()) {
    const before = skills.slice(0, at).map((one) => one.name);
    found.add(id, nameProblem(name, before));
  }
  return found.all;
}

/** What is wrong with a question. */
export function askProblem(ask: Ask): TextKey | null {
  switch (ask.kind) {
    case "text": {
      if (ask.of === "field" && ask.field.trim() === "") return "manage.field_missing";
      if (ask.is === "known") return null;
      if (ask.values.length === 0) return "manage.values_missing";
      if (ask.values.length > VALUES_MAX) return "manage.values_many";
      const long = ask.values.some((one) => length(one) > VALUE_CHARS_MAX);
      return long ? "manage.value_long" : null;
    }
    case "number":
      return ask.from > ask.to ? "manage.range_backwards" : null;
    case "time":
      return ask.span.from >= ask.span.to ? "manage.span_backwards" : null;
    case "open":
      return ask.department_id === "" ? "manage.department_missing" : null;
    default:
      return null;
  }
}

/** Problems of the rules: `id/name`, `id/when/0`. */
export function rulesProblems(rules: readonly RuleSettings[]): Problems {
  const found = new Found();
  for (const { id, name, when } of rules) {
    found.add(`${id}/name`, nameProblem(name, []));
    for (const [at, { ask }] of when.entries()) found.add(`${id}/when/${at}`, askProblem(ask));
  }
  return found.all;
}

/** Problems of words, by their names. */
export function wordsProblems(words: VisitorPrompts | AutoReplyTexts): Problems {
  const found = new Found();
  for (const [name, text] of Object.entries(words)) {
    if (length(text) > WORDS_MAX) found.add(name, "manage.words_long");
  }
  return found.all;
}

/** As the relay demands (limits of the protocol). */
export const PASSWORD_MIN = 8;
const PASSWORD_MAX = 256;

interface AgentFields {
  account: string;
  password: string;
  nickname: string;
}

/** Problems of an account's form; account and password only of a new one. */
export function agentProblems(form: AgentFields, fresh: boolean): Problems {
  const found = new Found();
  found.add("nickname", nameProblem(form.nickname, []));
  if (!fresh) return found.all;
  const account = form.account.trim();
  if (account === "" || length(account) > NAME_MAX) found.add("account", "manage.account_missing");
  const chars = length(form.password);
  const bad = chars < PASSWORD_MIN || chars > PASSWORD_MAX;
  if (bad || form.password.toLocaleLowerCase() === account.toLocaleLowerCase()) {
    found.add("password", "manage.password_bad");
  }
  return found.all;
}

/** Problems of a site's form. */
export function siteProblems(form: { name: string }): Problems {
  const found = new Found();
  found.add("name", nameProblem(form.name, []));
  return found.all;
}
