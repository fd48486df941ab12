// The replay as an admin meets it: yesterday stands there, capacities, policies and rules are tried
// without being saved, and the report says what it is of.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { ReplayFigures } from "../../../../shared/bindings/ReplayFigures";
import type { RelayCall } from "../../../../shared/bindings/ui/RelayCall";
import type { UiReply } from "../../../../shared/bindings/ui/UiReply";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { settings } from "../../../testing/settings";
import { HostError, installHost } from "../../host";
import { useManage } from "../../stores/manage";
import { dayBefore } from "../../stores/replay";
import { ReplayPage } from "./ReplayPage";

const ANA = {
  card: { id: "ana", nickname: "Ana" },
  role: "agent",
  availability: "online",
  capacity: 8,
  departments: ["default"],
  skills: [],
  disabled: false,
} as const;

/** Ten came; so many of them were missed, all in the ninth hour. */
const figures = (missed: number, came = 10): ReplayFigures => ({
  all: {
    came,
    served: came - missed,
    missed,
    wait_mean_ms: missed * 10_000,
    wait_p50_ms: 0,
    wait_p95_ms: 0,
    wait_max_ms: 0,
    answer_mean_ms: 0,
    moved: 0,
  },
  departments: {},
  hours: Array.from({ length: 24 }, (_, hour) => ({
    came: hour === 9 ? came : 0,
    missed: hour === 9 ? missed : 0,
    wait_mean_ms: 0,
  })),
  agents: { ana: { served: came - missed, at_once: 8 } },
});

let host: ScriptedHost;
const plays = (came: number) => {
  const body = { before: figures(3, came), as_now: figures(2, came), after: figures(1, came) };
  host.on("call", () => {
    return { type: "called", body: { answer: { type: "replay", body } } } as UiReply;
  });
};
const asked = () =>
  host
    .bodies("call")
    .flatMap(({ call }: { call: RelayCall }) => (call.type === "replay" ? [call.body] : []));
const press = (id: string) => act(async () => fireEvent.click(screen.getByTestId(id)));

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  useManage.setState({ settings: null });
  useManage.setState({ settings: settings(), agents: [{ ...ANA, departments: [], skills: [] }] });
});

describe("the replay's page", () => {
  it("plays yesterday and puts the figures side by side", async () => {
    plays(10);
    render(<ReplayPage />);
    const { zone } = settings().company.value;
    const yesterday = dayBefore(Date.now(), zone);
    expect((screen.getByTestId("replay-day") as HTMLInputElement).value).toBe(yesterday);
    fireEvent.change(screen.getByTestId("replay-capacity-ana"), { target: { value: "12" } });
    await press("replay-rule-0");
    await press("replay-start");
    expect(asked()).toMatchObject([{ day: yesterday, capacities: { ana: 12 } }]);
    expect(asked()[0]?.rules?.[0]?.enabled).toBe(!settings().rules.value[0]?.enabled);
    const cells = [...screen.getByTestId("replay-missed").children].map((one) => one.textContent);
    expect(cells.slice(1)).toEqual(["3", "2", "1", "−1"]);
    expect(screen.getByTestId("replay-agents").textContent).toContain("Ana");
    const bars = [...document.querySelectorAll("rect")];
    expect(bars.filter((bar) => Number(bar.getAttribute("height")) > 0)).toHaveLength(3);
    expect(useManage.getState().drafts).toEqual({});
  });

  it("says that the report is of what was tried before", async () => {
    plays(10);
    render(<ReplayPage />);
    await press("replay-start");
    expect(screen.queryByText(/修改之前/)).toBeNull();
    await press("replay-rule-0");
    expect(screen.getByText(/修改之前/)).toBeTruthy();
    await press("replay-reset");
    expect(screen.queryByTestId("replay-reset")).toBeNull();
  });

  it("says that nobody came, and why a day is not played", async () => {
    plays(0);
    render(<ReplayPage />);
    await press("replay-start");
    expect(screen.getByText("这一天没有会话")).toBeTruthy();
    expect(screen.queryByTestId("replay-report")).toBeNull();
    host.on("call", () => {
      throw new HostError({ kind: "refused", code: "too_large", retry_after_ms: null });
    });
    await press("replay-start");
    expect(screen.getByTestId("replay-problem").textContent).toContain("太多");
  });
});
