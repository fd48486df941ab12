// Who is at work, who waits, what runs: whole frames from the relay, while something on screen shows
// them. Several places may show it at once: they are counted, and the core is told of the first and
// of the last one only. Going from one to another is neither.

import { useEffect } from "react";
import { create } from "zustand";
import type { Floor } from "../../../shared/bindings/Floor";
import { type Problem, problemOf, request } from "../host";
import { openConversation } from "./chat";
import { useInbox } from "./inbox";
import { showModule } from "./modules";
import { kept } from "./same";
import { watchConversation } from "./watch";

interface FloorStore {
  /** The newest frame; `null` before the first. */
  floor: Floor | null;
  /** When it came, by this computer's clock: what runs has gone on since. */
  receivedAt: number;
  /** Why none comes. */
  problem: Problem | null;
}

const NONE: FloorStore = { floor: null, receivedAt: 0, problem: null };

/** The floor. */
export const useFloor = create<FloorStore>(() => NONE);

let watchers = 0;
/** What the core was told last. */
let told = false;

function tell(on: boolean): void {
  told = on;
  if (!on) useFloor.setState(NONE);
  request("watch_floor", { on }).catch((error: unknown) => {
    // Asked again when the way to the core is open again, or by whoever looks.
    if (on) useFloor.setState({ problem: problemOf(error) });
  });
}

/** Tells the core once everything that comes or goes in this moment has done so. */
function settle(): void {
  queueMicrotask(() => {
    if (watchers > 0 !== told) tell(watchers > 0);
  });
}

/** The core sent a frame. */
export function applyFloor(floor: Floor): void {
  if (watchers === 0) return;
  const before = useFloor.getState().floor;
  const idOf = (row: { conversation_id: string }) => row.conversation_id;
  const waiting = kept(before?.waiting ?? [], floor.waiting, idOf);
  const running = kept(before?.running ?? [], floor.running, idOf);
  useFloor.setState({
    floor: { ...floor, waiting, running },
    receivedAt: Date.now(),
    problem: null,
  });
}

/** Another account, or none: nothing of the floor is known. */
export function resetFloor(): void {
  told = false;
  useFloor.setState(NONE);
}

/** The way to the core is open again: it has forgotten who watches. */
export function rewatchFloor(): void {
  if (watchers > 0) tell(true);
}

/** Watches until the answer is called. */
export function watchFloor(): () => void {
  watchers += 1;
  settle();
  let watching = true;
  return () => {
    if (!watching) return;
    watching = false;
    watchers -= 1;
    settle();
  };
}

/** Watches while the component stands. */
export function useFloorWatch(on = true): void {
  useEffect(() => (on ? watchFloor() : undefined), [on]);
}

/** Opens a conversation of the floor in the workbench: one's own as it is, any other one watched. */
export async function openFromFloor(conversationId: string): Promise<void> {
  if (useInbox.getState().byId[conversationId] === undefined) {
    await watchConversation(conversationId);
    return;
  }
  showModule("reception");
  await openConversation(conversationId);
}
