// Departments as a list: their order, and a new one.

import type { DepartmentSettings } from "../../../../shared/bindings/DepartmentSettings";

/** Bounds of a department's order. */
export const ORDER_MAX = 1_000_000;

/** In the order they are listed everywhere: the larger the number, the earlier (B17); then as they
 * stand. */
export function byOrder(departments: readonly DepartmentSettings[]): DepartmentSettings[] {
  return [...departments].sort((a, b) => b.order - a.order);
}

/** A department to begin with, listed after the others. */
export function newDepartment(departments: readonly DepartmentSettings[]): DepartmentSettings {
  const last = Math.min(0, ...departments.map(({ order }) => order));
  return {
    id: crypto.randomUUID(),
    name: "",
    order: Math.max(-ORDER_MAX, departments.length === 0 ? 0 : last - 1),
    policy: { kind: "pool" },
    hours: null,
    close_line: false,
    no_answer: { after_s: 180, transfers_max: 3 },
    wrap_up_s: 0,
    silence: { ask_s: null, warn_s: null, end_s: null },
    explain_s: null,
    file_after_s: null,
    wait_s_max: null,
  };
}
