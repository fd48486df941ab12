// What all staff need of the company: departments, skills, sites, and when a wait gets louder.

import { create } from "zustand";
import type { Company } from "../../../shared/bindings/Company";
import type { SiteSettings } from "../../../shared/bindings/SiteSettings";

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

/** The company's settings changed. */
export function applyCompany(company: Company): void {
  useCompany.setState({ company });
}

/** All sites anew. */
export function applySites(sites: readonly SiteSettings[]): void {
  useCompany.setState({ sites });
}
