// Choices for selects: departments, skills, agents, sites, time zones.

import { useMemo } from "react";
import { useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { useCompany } from "../../stores/company";
import { useManage } from "../../stores/manage";

export interface Choice {
  value: string;
  label: string;
}

/** Departments that are saved: what is only being written cannot be named yet. */
export function useDepartmentChoices(): Choice[] {
  const t = useT();
  const departments = useManage(({ settings }) => settings?.departments.value);
  return useMemo(
    () => (departments ?? []).map((one) => ({ value: one.id, label: departmentName(t, one) })),
    [departments, t],
  );
}

/** Skill groups that are saved. */
export function useSkillChoices(): Choice[] {
  const skills = useManage(({ settings }) => settings?.skills.value);
  return useMemo(
    () => (skills ?? []).map(({ id, name }) => ({ value: id, label: name })),
    [skills],
  );
}

/** Everybody who is not disabled. */
export function useAgentChoices(): Choice[] {
  const agents = useManage((state) => state.agents);
  return useMemo(
    () =>
      agents
        .filter(({ disabled }) => !disabled)
        .map(({ card }) => ({ value: card.id, label: card.nickname })),
    [agents],
  );
}

/** The company's sites. */
export function useSiteChoices(): Choice[] {
  const sites = useCompany((state) => state.sites);
  return useMemo(() => sites.map(({ id, name }) => ({ value: id, label: name })), [sites]);
}

let zones: readonly string[] | null = null;

/** Names of the time zone database, the chosen one among them. */
export function zoneChoices(chosen: string): Choice[] {
  zones ??= ["UTC", ...Intl.supportedValuesOf("timeZone")];
  const all = zones.includes(chosen) || chosen === "" ? zones : [chosen, ...zones];
  return all.map((zone) => ({ value: zone, label: zone }));
}
