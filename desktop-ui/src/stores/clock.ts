// One shared tick for every waiting clock on screen, aligned to the second so that all of them
// change together. It runs only while something listens. "Relay time" is this computer's clock plus
// the offset the core measured: waiting clocks compare with stamps of the relay.

import { useSyncExternalStore } from "react";
import { useConnection } from "./connection";

const listeners = new Set<() => void>();
let timer: number | undefined;
let now = Date.now();

function tick() {
  now = Date.now();
  schedule();
  for (const listener of [...listeners]) listener();
}

function schedule() {
  timer = window.setTimeout(tick, 1_000 - (Date.now() % 1_000));
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    schedule();
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.clearTimeout(timer);
  };
}

/** This computer's clock, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** The relay's clock, once a second. */
export function useRelayNow(): number {
  const offset = useConnection((state) => state.connection.clock_offset_ms);
  return useNow() + offset;
}

/** This computer's calendar day: changes at midnight only, so that lists need not follow ticks. */
export function useToday(): number {
  return useSyncExternalStore(subscribe, () => new Date(now).setHours(0, 0, 0, 0));
}
