// What still names a department or a skill: it cannot be taken away before that is changed.

import type { ColleagueCard } from "../../../../shared/bindings/ColleagueCard";
import type { Settings } from "../../../../shared/bindings/Settings";

/** Who or what names it. */
export interface Use {
  what: "rule" | "category" | "site" | "company" | "agent";
  /** The user's name; a site's is its id. */
  name: string;
}

/** What names a department. */
export function usesOfDepartment(
  id: string,
  settings: Settings,
  agents: readonly ColleagueCard[],
): Use[] {
  const company = settings.company.value;
  const uses: Use[] = [];
  if (company.default_department === id) uses.push({ what: "company", name: "" });
  for (const { name, department_id } of company.categories) {
    if (department_id === id) uses.push({ what: "category", name });
  }
  for (const [site, department_id] of Object.entries(company.sites)) {
    if (department_id === id) uses.push({ what: "site", name: site });
  }
  for (const { name, department_id, when } of settings.rules.value) {
    const asked = when.some(({ ask }) => ask.kind === "open" && ask.department_id === id);
    if (department_id === id || asked) uses.push({ what: "rule", name });
  }
  for (const { card, departments } of agents) {
    if (departments.includes(id)) uses.push({ what: "agent", name: card.nickname });
  }
  return uses;
}

/** What names a skill. */
export function usesOfSkill(
  id: string,
  settings: Settings,
  agents: readonly ColleagueCard[],
): Use[] {
  const uses: Use[] = [];
  for (const { name, skill_id } of settings.rules.value) {
    if (skill_id === id) uses.push({ what: "rule", name });
  }
  for (const { card, skills } of agents) {
    if (skills.includes(id)) uses.push({ what: "agent", name: card.nickname });
  }
  return uses;
}
