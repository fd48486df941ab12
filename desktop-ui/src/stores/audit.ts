// The audit as far as it was read: the newest first, earlier ones on demand.

import { create } from "zustand";
import type { AuditEntry } from "../../../shared/bindings/AuditEntry";
import { call, type Problem, problemOf } from "../host";

interface AuditStore {
  entries: readonly AuditEntry[];
  hasEarlier: boolean;
  phase: "loading" | "ready" | "failed";
  problem: Problem | null;
}

/** The audit. */
export const useAudit = create<AuditStore>(() => ({
  entries: [],
  hasEarlier: false,
  phase: "loading",
  problem: null,
}));

async function read(before: number | null): Promise<void> {
  useAudit.setState({ phase: "loading", problem: null });
  try {
    const page = await call("audit", { before });
    useAudit.setState(({ entries }) => ({
      entries: before === null ? page.entries : [...entries, ...page.entries],
      hasEarlier: page.has_earlier,
      phase: "ready",
    }));
  } catch (error) {
    useAudit.setState({ phase: "failed", problem: problemOf(error) });
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
