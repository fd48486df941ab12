// How the link to the relay stands, and the way to the core itself. Both are shown always and as
// they are; nothing here guesses.

import { create } from "zustand";
import type { Connection } from "../../../shared/bindings/ui/Connection";
import type { HostLink } from "../host";

interface ConnectionStore {
  connection: Connection;
  host: HostLink;
}

const NOT_YET: Connection = {
  state: "connecting",
  since: 0,
  latency_ms: null,
  clock_offset_ms: 0,
  unsent: 0,
};

/** The link's state. */
export const useConnection = create<ConnectionStore>(() => ({
  connection: NOT_YET,
  host: "connecting",
}));

/** The core said how the link to the relay stands. */
export function applyConnection(connection: Connection): void {
  useConnection.setState({ connection });
}

/** The way to the core changed. */
export function applyHostLink(host: HostLink): void {
  useConnection.setState({ host });
}
