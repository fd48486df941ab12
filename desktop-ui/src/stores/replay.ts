// The replay of a past day (X04): which day, which settings to try, and what came of it. What is tried
// is a copy; nothing of it is saved.

import { create } from "zustand";
import type { QueuePolicy } from "../../../shared/bindings/QueuePolicy";
import type { ReplayAnswer } from "../../../shared/bindings/ReplayAnswer";
import type { ReplayDay } from "../../../shared/bindings/ReplayDay";
import type { RuleSettings } from "../../../shared/bindings/RuleSettings";
import type { Settings } from "../../../shared/bindings/Settings";
import { call, type Problem, problemOf } from "../host";
import { useManage } from "./manage";
import type { SectionName } from "./sections";

/** What is tried: only what differs from now. */
export interface Trial {
  /** `2026-11-21`; empty before one was chosen. */
  day: string;
  capacities: Readonly<Record<string, number>>;
  policies: Readonly<Record<string, QueuePolicy>>;
  /** All of them in their order; `null` for those of now. */
  rules: readonly RuleSettings[] | null;
}

interface ReplayStore {
  trial: Trial;
  running: boolean;
  answer: ReplayAnswer | null;
  /** What the answer is of: it stands there, marked, while something else is set up to be tried. */
  answered: Trial | null;
  problem: Problem | null;
}

const NOTHING: ReplayStore = {
  trial: { day: "", capacities: {}, policies: {}, rules: null },
  running: false,
  answer: null,
  answered: null,
  problem: null,
};

/** What is tried, and the last answer. */
export const useReplay = create<ReplayStore>(() => NOTHING);

/** Tries something else from the next time on. */
export function tryOut(change: Partial<Trial>): void {
  useReplay.setState(({ trial }) => ({ trial: { ...trial, ...change }, problem: null }));
}

/** Tries another capacity of an agent; `null` for the one of now. */
export function tryCapacity(agent: string, capacity: number | null): void {
  const { [agent]: _, ...others } = useReplay.getState().trial.capacities;
  tryOut({ capacities: capacity === null ? others : { ...others, [agent]: capacity } });
}

/** Back to the settings of now; the day stays. */
export function tryNothing(): void {
  tryOut({ ...NOTHING.trial, day: useReplay.getState().trial.day });
}

/** Whether anything is tried. */
export function triesSomething({ capacities, policies, rules }: Trial): boolean {
  const any = (of: object) => Object.keys(of).length > 0;
  return any(capacities) || any(policies) || rules !== null;
}

/** The day and what differs, as it is asked. */
export function replayOf(trial: Trial, settings: Settings): ReplayDay {
  const { day, capacities, policies, rules } = trial;
  const departments = settings.departments.value.map((one) => {
    const policy = policies[one.id];
    return policy === undefined ? one : { ...one, policy };
  });
  return {
    day,
    capacities: { ...capacities },
    ...(Object.keys(policies).length === 0 ? {} : { departments }),
    ...(rules === null ? {} : { rules: [...rules] }),
  };
}

/** Whether two readings of the settings are of the same ones. */
function sameVersions(a: Settings | null, b: Settings | null): boolean {
  if (a === null || b === null) return a === b;
  const names = Object.keys(a).filter((name) => name !== "public_url") as SectionName[];
  return names.every((name) => a[name].version === b[name].version);
}

/** Plays the day. */
export async function playDay(): Promise<void> {
  const { trial, running } = useReplay.getState();
  const { settings } = useManage.getState();
  if (running || settings === null || trial.day === "") return;
  useReplay.setState({ running: true, problem: null });
  const isOfNow = () => sameVersions(useManage.getState().settings, settings);
  try {
    const answer = await call("replay", replayOf(trial, settings));
    if (isOfNow()) useReplay.setState({ answer, answered: trial });
  } catch (error) {
    if (isOfNow()) useReplay.setState({ answer: null, problem: problemOf(error) });
  } finally {
    useReplay.setState({ running: false });
  }
}

/** The day before `at` on the wall of a place: what is asked for first. */
export function dayBefore(at: number, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(at - 86_400_000);
}

/** Another account, or other settings: what was tried and said of the old ones is no longer so. */
useManage.subscribe(({ settings }, { settings: before }) => {
  if (sameVersions(settings, before)) return;
  if (settings === null) useReplay.setState({ ...NOTHING });
  else if (before !== null) {
    useReplay.setState({ answer: null });
    tryOut(settings.rules.version === before.rules.version ? {} : { rules: null });
  }
});
