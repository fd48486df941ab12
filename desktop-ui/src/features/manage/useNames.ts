// Names for the ids that rules and explanations hold.

import { useMemo } from "react";
import { useT } from "../../i18n";
import { departmentName } from "../../i18n/words";
import { useCompany } from "../../stores/company";
import { useManage } from "../../stores/manage";
import type { Names } from "./conditions";
import { useSection } from "./useSection";

export interface AllNames extends Names {
  skill: (id: string) => string;
  agent: (id: string) => string;
}

/** Names as they are being set; an id that names nothing is "unknown". */
export function useNames(): AllNames {
  const t = useT();
  const sites = useCompany((state) => state.sites);
  const agents = useManage((state) => state.agents);
  const departments = useSection("departments")?.value;
  const skills = useSection("skills")?.value;
  return useMemo(() => {
    const unknown = t("common.unknown");
    return {
      site: (id) => sites.find((one) => one.id === id)?.name ?? unknown,
      agent: (id) => agents.find(({ card }) => card.id === id)?.card.nickname ?? unknown,
      skill: (id) => skills?.find((one) => one.id === id)?.name ?? unknown,
      department: (id) =>
        departmentName(
          t,
          departments?.find((one) => one.id === id),
        ),
    };
  }, [t, sites, agents, departments, skills]);
}
