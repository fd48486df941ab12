// Who is at work, who waits, what runs: whole frames from the relay, while something on screen shows
// them. The first that shows it asks for it, the last that goes lets go.

import { useEffect } from "react";
import { create } from "zustand";
import type { Floor } from "../../../shared/bindings/Floor";
import { request } from "../host";

interface FloorStore {
  /** The newest frame; `null` before the first. */
  floor: Floor | null;
}

/** The floor. */
export const useFloor = create<FloorStore>(() => ({ floor: null }));

let watchers = 0;

function ask(on: boolean): void {
  request("watch_floor", { on }).catch(() => {
    // Asked again when the way to the core is open again.
  });
}

/** The core sent a frame. */
export function applyFloor(floor: Floor): void {
  if (watchers > 0) useFloor.setState({ floor });
}

/** Another account, or none: nothing of the floor is known. */
export function resetFloor(): void {
  useFloor.setState({ floor: null });
}

/** The way to the core is open again: it has forgotten who watches. */
export function rewatchFloor(): void {
  if (watchers > 0) ask(true);
}

/** Watches until the answer is called. */
export function watchFloor(): () => void {
  watchers += 1;
  if (watchers === 1) ask(true);
  let watching = true;
  return () => {
    if (!watching) return;
    watching = false;
    watchers -= 1;
    if (watchers > 0) return;
    ask(false);
    useFloor.setState({ floor: null });
  };
}

/** Watches while the component stands. */
export function useFloorWatch(on = true): void {
  useEffect(() => (on ? watchFloor() : undefined), [on]);
}
