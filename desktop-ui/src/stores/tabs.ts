// Which list stands beside the chat (C04).

import { create } from "zustand";
import type { Role } from "../../../shared/bindings/Role";

/** Lists there are. */
export type Tab = "running" | "queue" | "recent" | "colleagues";

interface TabsStore {
  tab: Tab;
}

/** The list on screen. */
export const useTabs = create<TabsStore>(() => ({ tab: "running" }));

/** Shows a list. */
export function showTab(tab: Tab): void {
  useTabs.setState({ tab });
}

/** Another account begins with what runs. */
export function resetTab(): void {
  useTabs.setState({ tab: "running" });
}

/** The lists of a role, in their order. */
export function tabsOf(role: Role): Tab[] {
  return role === "agent"
    ? ["running", "queue", "recent"]
    : ["running", "queue", "recent", "colleagues"];
}

/** What is shown for a wish: after the role changed it may not be what was wished. */
export function tabFor(wished: Tab, role: Role): Tab {
  return tabsOf(role).includes(wished) ? wished : "running";
}
