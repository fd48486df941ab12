// The audit as far as it was read: the newest first, earlier ones on demand.

import { create } from "zustand";
import type { AuditEntry } from "../../../shared/bindings/AuditEntry";
import { call, type Problem, problemOf } from "../host";
import { onAccountChange } from "./session";

interface AuditStore {
  entries: readonly AuditEntry[];
  hasEarlier: boolean;
  phase: "loading" | "ready" | "failed";
  /** Why the last question failed. */
  problem: Problem | null;
}

const NOT_YET: AuditStore = { entries: [], hasEarlier: false, phase: "loading", problem: null };

/** The audit. */
export const useAudit = create<AuditStore>(() => NOT_YET);

let asked = 0;

async function read(before: number | null): Promise<void> {
  const mine = ++asked;
  useAudit.setState({ phase: "loading", problem: null });
  try {
    const page = await call("audit", { before });
    // Asked anew meanwhile: this page would not join on.
    if (mine !== asked) return;
    useAudit.setState(({ entries }) => ({
      entries: before === null ? page.entries : [...entries, ...page.entries],
      hasEarlier: page.has_earlier,
      phase: "ready",
    }));
  } catch (error) {
    if (mine === asked) useAudit.setState({ phase: "failed", problem: problemOf(error) });
  }
}

/** Reads the newest. */
export function loadAudit(): Promise<void> {
  return read(null);
}

/** Reads those before the oldest that is held. */
export function loadEarlierAudit(): Promise<void> {
  const { entries, phase } = useAudit.getState();
  if (phase === "loading") return Promise.resolve();
  return read(entries.at(-1)?.number ?? null);
}

onAccountChange(() => {
  asked += 1;
  useAudit.setState(NOT_YET);
});
