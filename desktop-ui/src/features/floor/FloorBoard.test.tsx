// The boards as a manager meets them: tables that are found as they were left, a panel that gives the
// keyboard back, rows of a busy day drawn as far as they are looked at.

import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Floor } from "../../../../shared/bindings/Floor";
import {
  ben,
  colleague,
  connection,
  floor,
  floorAgent,
  floorWaiting,
  ownCard,
  preferences,
  TEN_O_CLOCK,
} from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { replaceColleagues } from "../../stores/colleagues";
import { applyConnection } from "../../stores/connection";
import { applyFloor } from "../../stores/floor";
import { flushPreferences, usePreferences } from "../../stores/preferences";
import { applySession } from "../../stores/session";
import { FloorBoard } from "./FloorBoard";

const CARL = "agent-carl";
let host: ScriptedHost;

const frame = (change: Partial<Floor> = {}) =>
  floor({
    agents: [
      floorAgent(ben.id, { running: 1, capacity: 4 }),
      floorAgent(CARL, { running: 3, capacity: 4 }),
    ],
    ...change,
  });
const press = (id: string) => fireEvent.click(screen.getByTestId(id));
const rows = (table: string) => within(screen.getByTestId(table)).getAllByRole("row").slice(1);
const heads = () =>
  within(screen.getByTestId("agents-table"))
    .getAllByRole("columnheader")
    .map((head) => head.textContent);

async function show(change: Partial<Floor> = {}) {
  render(<FloorBoard />);
  // The floor is asked for once everything stands.
  await act(() => Promise.resolve());
  act(() => applyFloor(frame(change)));
}

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
  usePreferences.setState({ preferences });
  applyConnection(connection());
  applySession({
    kind: "signed_in",
    server: "https://x.example",
    own: ownCard({ role: "manager" }),
  });
  replaceColleagues([colleague(), colleague({ card: { id: CARL, nickname: "Carl" } })]);
});
afterEach(() => setLocale("zh-CN"));

describe("the agents' table", () => {
  const order = () => rows("agents-table").map((row) => row.dataset.testid);

  it("is sorted by a column, then the other way round, and stays so", async () => {
    await show();
    press("sort-load");
    expect(order()).toEqual([`agent-row-${CARL}`, `agent-row-${ben.id}`]);
    expect(screen.getByRole("columnheader", { name: /Load/ }).getAttribute("aria-sort")).toBe(
      "descending",
    );
    press("sort-load");
    expect(order()).toEqual([`agent-row-${ben.id}`, `agent-row-${CARL}`]);
    expect(screen.getByRole("columnheader", { name: /Load/ }).getAttribute("aria-sort")).toBe(
      "ascending",
    );
    flushPreferences();
    const kept = host.bodies("set_preferences").at(-1)?.preferences.lists;
    expect(kept?.floor_agents?.sort).toEqual({ column: "load", descending: true });
  });

  it("shows the columns that were left on", async () => {
    usePreferences.setState({
      preferences: {
        ...preferences,
        lists: {
          floor_agents: {
            columns: [
              { name: "rest", width: null },
              { name: "load", width: null },
            ],
            chosen: true,
            sort: null,
          },
        },
      },
    });
    await show();
    expect(heads()).toEqual(["Agent", "Load", "Rest today"]);
  });

  it("opens an agent's panel and takes the keyboard back when it closes", async () => {
    await show();
    press(`agent-row-${ben.id}`);
    const panel = screen.getByTestId("agent-panel");
    fireEvent.keyDown(panel, { key: "Escape" });
    expect(screen.queryByTestId("agent-panel")).toBeNull();
    expect(document.activeElement?.textContent).toBe("Ben");
  });
});

describe("the waiting table", () => {
  const waiting = Array.from({ length: 150 }, (_, at) =>
    floorWaiting(`w${at}`, { since: TEN_O_CLOCK + at }),
  );

  it("says why each waits, and opens one watched", async () => {
    await show({
      agents: [floorAgent(ben.id, { running: 4, capacity: 4 })],
      waiting: [
        floorWaiting("w1", { own_agent: ben.id, vip: true, front: true }),
        floorWaiting("w2", { reason: "all_full" }),
      ],
      waiting_total: 2,
    });
    press("floor-tab-waiting");
    const [first, second] = rows("waiting-table").map((row) => row.textContent ?? "");
    expect(first).toContain("Waits for Ben, who is full");
    expect(first).toContain("VIP");
    expect(second).toContain("All agents are full");
    press("waiting-w2");
    expect(host.bodies("watch_conversation")).toEqual([{ conversation_id: "w2" }]);
  });

  it("draws the rest of a long line as its end comes near", async () => {
    let seen: (() => void) | undefined;
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
          seen = () => tell([{ isIntersecting: true }]);
        }
        observe() {}
        disconnect() {}
      },
    );
    await show({ waiting, waiting_total: 170 });
    press("floor-tab-waiting");
    const drawn = () => screen.getAllByTestId(/^waiting-w/).length;
    expect(drawn()).toBeLessThan(150);
    act(() => seen?.());
    act(() => seen?.());
    expect(drawn()).toBe(150);
    expect(screen.getByText(/150\D+170/)).toBeTruthy();
    vi.unstubAllGlobals();
  });

  it("moves between its tabs by the keyboard, ends included", async () => {
    await show();
    const tabs = screen.getByRole("tablist");
    fireEvent.keyDown(tabs, { key: "End" });
    expect(document.activeElement?.getAttribute("data-tab")).toBe("waiting");
    fireEvent.keyDown(tabs, { key: "ArrowRight" });
    expect(document.activeElement?.getAttribute("data-tab")).toBe("agents");
  });
});
