// What all staff need of the company: departments, skills, sites, and when a wait gets louder.

import { useCallback } from "react";
import { create } from "zustand";
import type { Company } from "../../../shared/bindings/Company";
import type { SiteSettings } from "../../../shared/bindings/SiteSettings";
import { useT } from "../i18n";
import { departmentName } from "../i18n/words";

interface CompanyStore {
  company: Company;
  /** In the order of their ids. */
  sites: readonly SiteSettings[];
}

/** The company and its sites. */
export const useCompany = create<CompanyStore>(() => ({
  company: {
    departments: [],
    skills: [],
    attention: { warn_s: 60, red_s: 180 },
    forced_replies: false,
  },
  sites: [],
}));

/** Finds the name of a department; one that is gone is unknown. */
export function useDepartmentName(): (departmentId: string | null) => string {
  const t = useT();
  const departments = useCompany((state) => state.company.departments);
  return useCallback(
    (departmentId) => {
      const department = departments.find((one) => one.id === departmentId);
      return departmentName(t, department);
    },
    [departments, t],
  );
}

/** The company's settings changed. */
export function applyCompany(company: Company): void {
  useCompany.setState({ company });
}

/** All sites anew. */
export function applySites(sites: readonly SiteSettings[]): void {
  useCompany.setState({ sites });
}
