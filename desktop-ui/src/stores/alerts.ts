// What managers are told of a conversation (B13). It stays until that conversation is answered or
// over; the core says when.

import { create } from "zustand";
import type { ManagerAlert } from "../../../shared/bindings/ManagerAlert";

interface AlertsStore {
  /** The oldest first. */
  alerts: readonly ManagerAlert[];
}

/** All alerts that stand. */
export const useAlerts = create<AlertsStore>(() => ({ alerts: [] }));

/** All of them anew. */
export function applyAlerts(alerts: readonly ManagerAlert[]): void {
  useAlerts.setState({ alerts });
}
