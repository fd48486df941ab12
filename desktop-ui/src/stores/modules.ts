// Which module of the rail is shown, and which modules a role may open. The relay decides what anybody
// may do; this only keeps doors away that would not open.

import { create } from "zustand";
import type { Role } from "../../../shared/bindings/Role";

/** Modules there are. */
export type Module = "reception" | "floor" | "manage";

interface ModulesStore {
  module: Module;
}

/** The module on screen. */
export const useModules = create<ModulesStore>(() => ({ module: "reception" }));

/** Shows a module. */
export function showModule(module: Module): void {
  useModules.setState({ module });
}

/** Another account begins with its conversations. */
export function resetModule(): void {
  useModules.setState({ module: "reception" });
}

/** The modules of a role, in the order of the rail: Ctrl+1 is the first. */
export function modulesOf(role: Role): Module[] {
  if (role === "admin") return ["reception", "floor", "manage"];
  return role === "manager" ? ["reception", "floor"] : ["reception"];
}

/** What is shown for a wish: after the role changed it may not be what was wished. */
export function moduleFor(wished: Module, role: Role): Module {
  return modulesOf(role).includes(wished) ? wished : "reception";
}
