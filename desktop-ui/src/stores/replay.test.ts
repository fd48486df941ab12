// What is asked of a replay: only what differs, and nothing is saved; an answer is of what was asked.

import { beforeEach, describe, expect, it } from "vitest";
import type { ReplayAnswer } from "../../../shared/bindings/ReplayAnswer";
import type { ReplayDay } from "../../../shared/bindings/ReplayDay";
import type { ReplayFigures } from "../../../shared/bindings/ReplayFigures";
import type { RelayCall } from "../../../shared/bindings/ui/RelayCall";
import { ScriptedHost } from "../../testing/scriptedHost";
import { settings } from "../../testing/settings";
import { HostError, installHost } from "../host";
import { useManage } from "./manage";
import { dayBefore, playDay, replayOf, tryCapacity, tryNothing, tryOut, useReplay } from "./replay";

const figures: ReplayFigures = {
  all: {
    came: 3,
    served: 3,
    missed: 0,
    wait_mean_ms: 0,
    wait_p50_ms: 0,
    wait_p95_ms: 0,
    wait_max_ms: 0,
    answer_mean_ms: 0,
    moved: 0,
  },
  departments: {},
  hours: [],
  agents: {},
};
const answer: ReplayAnswer = { before: figures, as_now: figures, after: figures };

let asked: ReplayDay[] = [];
let host: ScriptedHost;

beforeEach(() => {
  asked = [];
  host = new ScriptedHost();
  installHost(host);
  host.on("call", ({ call }: { call: RelayCall }) => {
    if (call.type === "replay") asked.push(call.body);
    return { type: "called", body: { answer: { type: "replay", body: answer } } } as never;
  });
  useManage.setState({ settings: null });
  useManage.setState({ settings: settings() });
  tryOut({ day: "2026-11-21" });
});

describe("the replay of a day", () => {
  it("asks for the day alone when nothing is tried", async () => {
    await playDay();
    expect(asked).toEqual([{ day: "2026-11-21", capacities: {} }]);
    expect(useReplay.getState().answer).toEqual(answer);
    expect(useReplay.getState().running).toBe(false);
  });

  it("asks with the sections that are tried, whole, and saves nothing", () => {
    const now = settings();
    const first = now.departments.value[0];
    if (first === undefined) throw new Error("a department");
    tryOut({ policies: { [first.id]: { kind: "sticky" } }, rules: [] });
    tryCapacity("ana", 12);
    const { trial } = useReplay.getState();
    const { capacities, departments, rules } = replayOf(trial, now);
    expect(capacities).toEqual({ ana: 12 });
    expect(rules).toEqual([]);
    expect(departments).toEqual(
      now.departments.value.map((one) =>
        one.id === first.id ? { ...one, policy: { kind: "sticky" } } : one,
      ),
    );
    expect(useManage.getState().drafts).toEqual({});
    tryNothing();
    expect(replayOf(useReplay.getState().trial, now)).toEqual({
      day: "2026-11-21",
      capacities: {},
    });
  });

  it("knows what the answer is of, and takes it away when the settings change", async () => {
    await playDay();
    tryCapacity("ana", 3);
    const { answered, trial } = useReplay.getState();
    expect(useReplay.getState().answer).not.toBeNull();
    expect([answered?.capacities, trial.capacities]).toEqual([{}, { ana: 3 }]);
    await playDay();
    expect(useReplay.getState().answered).toBe(useReplay.getState().trial);
    useManage.setState({ settings: settings() });
    expect(useReplay.getState().answer).not.toBeNull();
    const { skills } = settings();
    useManage.setState({ settings: { ...settings(), skills: { ...skills, version: 9 } } });
    expect(useReplay.getState().answer).toBeNull();
    expect(useReplay.getState().trial.capacities).toEqual({ ana: 3 });
    useManage.setState({ settings: null });
    expect(useReplay.getState().trial.day).toBe("");
  });

  it("says why it was refused", async () => {
    host.on("call", () => {
      throw new HostError({ kind: "refused", code: "too_large", retry_after_ms: null });
    });
    await playDay();
    expect(useReplay.getState().problem?.code).toBe("too_large");
    expect(useReplay.getState().running).toBe(false);
  });

  it("begins with yesterday on the company's wall", () => {
    const late = Date.UTC(2026, 10, 22, 17);
    expect(dayBefore(late, "Asia/Shanghai")).toBe("2026-11-22");
    expect(dayBefore(late, "UTC")).toBe("2026-11-21");
  });
});
