// Sums, rows and order of the boards from one frame of the floor.

import { describe, expect, it } from "vitest";
import type { Floor } from "../../../../shared/bindings/Floor";
import type { FloorAgent } from "../../../../shared/bindings/FloorAgent";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import type { People } from "../../stores/people";
import { agentRows, figuresOf, liveDay, presenceOf } from "./figures";

const T = Date.UTC(2026, 10, 22, 10);

function agent(agent_id: string, change: Partial<FloorAgent> = {}): FloorAgent {
  return {
    agent_id,
    availability: "online",
    connected: true,
    running: 0,
    capacity: 8,
    unanswered: 0,
    since: T,
    today: { served: 0, ended: 0, first_response_ms: null, online_s: 0, busy_s: 0, away_s: 0 },
    ...change,
  };
}

function running(conversation_id: string, agent_id: string, unanswered_since: number | null) {
  const row: FloorRunning = {
    conversation_id,
    label: "3F2A",
    site_id: "site-1",
    department_id: "sales",
    agent_id,
    members: [],
    since: T,
    unanswered_since,
    text: "",
  };
  return row;
}

const people = Object.fromEntries(
  [
    ["agent-1", "Ana", ["sales"]],
    ["agent-2", "Ben", ["service"]],
    ["agent-3", "Carl", ["sales", "service"]],
  ].map(([id, nickname, departments]) => [
    id,
    {
      card: { id, nickname },
      role: "agent",
      availability: "online",
      capacity: 8,
      departments,
      skills: [],
      disabled: false,
    },
  ]),
) as People;

function floor(change: Partial<Floor> = {}): Floor {
  return {
    agents: [],
    departments: [],
    waiting: [],
    waiting_total: 0,
    running: [],
    running_total: 0,
    ...change,
  };
}

const ids = (rows: ReturnType<typeof agentRows>) => rows.map(({ agent }) => agent.agent_id);

describe("presence", () => {
  it("is offline without a client, whatever was chosen", () => {
    expect(presenceOf(agent("agent-1", { connected: false, availability: "busy" }))).toBe(
      "offline",
    );
    expect(presenceOf(agent("agent-1", { availability: "busy" }))).toBe("busy");
  });
});

describe("today's time", () => {
  it("goes on in the present kind only, and not without a client", () => {
    const busy = agent("agent-1", { availability: "busy" });
    expect(liveDay(busy, 12_900)).toMatchObject({ online_s: 0, busy_s: 12, away_s: 0 });
    expect(liveDay({ ...busy, connected: false }, 12_900)).toMatchObject({ busy_s: 0 });
    expect(liveDay(busy, -5_000)).toMatchObject({ busy_s: 0 });
  });
});

describe("the agents' rows", () => {
  const frame = floor({
    agents: [
      agent("agent-1", { running: 1, capacity: 2 }),
      agent("agent-2", { running: 2, capacity: 8, availability: "away" }),
      agent("agent-3", { connected: false }),
    ],
    running: [
      running("c1", "agent-2", T - 9_000),
      running("c2", "agent-1", T - 5_000),
      running("c3", "agent-1", T - 7_000),
      running("c4", "agent-2", null),
    ],
  });

  it("know each agent's longest unanswered visitor", () => {
    const rows = agentRows(frame, people, null, "unanswered");
    expect(rows.map((row) => row.unansweredSince)).toEqual([T - 9_000, T - 7_000, null]);
    expect(ids(rows)).toEqual(["agent-2", "agent-1", "agent-3"]);
  });

  it("sort by presence, by load, by name", () => {
    expect(ids(agentRows(frame, people, null, "presence"))).toEqual([
      "agent-1",
      "agent-2",
      "agent-3",
    ]);
    expect(ids(agentRows(frame, people, null, "load"))[0]).toBe("agent-1");
    expect(ids(agentRows(frame, people, null, "agent"))).toEqual(["agent-1", "agent-2", "agent-3"]);
    expect(ids(agentRows(frame, people, null, "agent", true))).toEqual([
      "agent-3",
      "agent-2",
      "agent-1",
    ]);
  });

  it("are those of one department", () => {
    expect(ids(agentRows(frame, people, "service", "agent"))).toEqual(["agent-2", "agent-3"]);
  });
});

describe("the figures", () => {
  it("weigh first responses by what was served and count places of those who have conversations", () => {
    const day = (served: number, first_response_ms: number | null) => ({
      served,
      ended: 0,
      first_response_ms,
      online_s: 0,
      busy_s: 0,
      away_s: 0,
    });
    const frame = floor({
      agents: [
        agent("agent-1", { today: day(3, 10_000) }),
        agent("agent-2", { availability: "busy", today: day(1, 30_000) }),
        agent("agent-3", { today: day(4, null) }),
      ],
      running: [running("c1", "agent-1", T - 4_000)],
      running_total: 700,
      waiting_total: 3,
    });
    const rows = agentRows(frame, people, null, "agent");
    expect(figuresOf(frame, rows, null)).toEqual({
      online: 2,
      agents: 3,
      running: 700,
      places: 24,
      waiting: 3,
      waitingSince: null,
      unansweredSince: T - 4_000,
      firstResponseMs: 15_000,
    });
    expect(figuresOf(frame, agentRows(frame, people, "service", "agent"), "service")).toMatchObject(
      {
        running: 0,
        waiting: 0,
        unansweredSince: null,
      },
    );
  });
});
