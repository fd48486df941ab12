// What the boards show, computed from one frame of the floor: sums, rows and their order. Pure; the
// time is passed in.

import type { AgentDay } from "../../../../shared/bindings/AgentDay";
import type { Floor } from "../../../../shared/bindings/Floor";
import type { FloorAgent } from "../../../../shared/bindings/FloorAgent";
import type { FloorRunning } from "../../../../shared/bindings/FloorRunning";
import type { People } from "../../stores/people";

/** What an agent is to the eye: the choice, unless no client is connected. */
export type Presence = "online" | "busy" | "away" | "offline";

const PRESENCES: readonly Presence[] = ["online", "busy", "away", "offline"];

/** See {@link Presence}. */
export function presenceOf(agent: FloorAgent): Presence {
  return agent.connected ? agent.availability : "offline";
}

/** Today's work so far: the running kind of time has gone on since the frame was sent. */
export function liveDay(agent: FloorAgent, sinceFrameMs: number): AgentDay {
  const more = Math.max(0, Math.floor(sinceFrameMs / 1_000));
  const { today } = agent;
  if (!agent.connected) return today;
  return {
    ...today,
    online_s: today.online_s + (agent.availability === "online" ? more : 0),
    busy_s: today.busy_s + (agent.availability === "busy" ? more : 0),
    away_s: today.away_s + (agent.availability === "away" ? more : 0),
  };
}

/** One line of the agents' table. */
export interface AgentRow {
  agent: FloorAgent;
  name: string;
  departments: readonly string[];
  presence: Presence;
  /** Since when the agent's longest unanswered visitor waits. */
  unansweredSince: number | null;
}

/** What the agents' table can be sorted by. */
export type AgentSort = "agent" | "presence" | "load" | "unanswered" | "served" | "first_response";

const share = ({ agent }: AgentRow) => agent.running / Math.max(1, agent.capacity);
const negative = (of: number | null) => (of === null ? null : -of);

/** What each order compares, the least first; who has nothing of it stands last either way. */
const KEYS: Record<AgentSort, (row: AgentRow) => number | null> = {
  agent: () => 0,
  presence: (row) => PRESENCES.indexOf(row.presence),
  load: (row) => negative(share(row)),
  unanswered: (row) => row.unansweredSince,
  served: ({ agent }) => negative(agent.today.served),
  first_response: ({ agent }) => negative(agent.today.first_response_ms),
};

function compareKeys(a: number | null, b: number | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return sign * (a - b);
}

function longestUnanswered(running: readonly FloorRunning[]): Map<string, number> {
  const since = new Map<string, number>();
  for (const { agent_id, unanswered_since } of running) {
    if (unanswered_since === null) continue;
    since.set(agent_id, Math.min(since.get(agent_id) ?? Infinity, unanswered_since));
  }
  return since;
}

/** The agents of a department, or all; equal ones by name, then by id, so that no row jumps. */
export function agentRows(
  floor: Floor,
  people: People,
  departmentId: string | null,
  sort: AgentSort,
  reversed = false,
): AgentRow[] {
  const sign = reversed ? -1 : 1;
  const key = KEYS[sort];
  const since = longestUnanswered(floor.running);
  const rows = floor.agents.map((agent) => {
    const person = people[agent.agent_id];
    return {
      agent,
      name: person?.card.nickname ?? "",
      departments: person?.departments ?? [],
      presence: presenceOf(agent),
      unansweredSince: since.get(agent.agent_id) ?? null,
    };
  });
  return rows
    .filter((row) => departmentId === null || row.departments.includes(departmentId))
    .sort(
      (a, b) =>
        compareKeys(key(a), key(b), sign) ||
        (sort === "agent" ? sign : 1) * a.name.localeCompare(b.name, "zh-CN") ||
        (a.agent.agent_id < b.agent.agent_id ? -1 : 1),
    );
}

/** The sums above the tables. */
export interface Figures {
  online: number;
  agents: number;
  running: number;
  /** Of those online or busy: what runs stands on them. */
  places: number;
  waiting: number;
  /** Since when the one waits who waits longest. */
  waitingSince: number | null;
  /** Since when the longest unanswered visitor of all waits. */
  unansweredSince: number | null;
  /** Mean over all first answers of today. */
  firstResponseMs: number | null;
}

const oldest = (times: readonly (number | null)[]): number | null =>
  times.reduce(
    (least, one) => (one === null || (least !== null && least <= one) ? least : one),
    null,
  );

/** The sums for a department, or all of them. */
export function figuresOf(
  floor: Floor,
  rows: readonly AgentRow[],
  departmentId: string | null,
): Figures {
  const mine = <T extends { department_id: string }>(all: readonly T[]) =>
    departmentId === null ? all : all.filter((one) => one.department_id === departmentId);
  const waiting = mine(floor.waiting);
  const running = mine(floor.running);
  const line = mine(floor.departments).reduce((sum, one) => sum + one.waiting, 0);
  const online = rows.filter((row) => row.presence === "online");
  const answered = rows.filter(({ agent }) => agent.today.first_response_ms !== null);
  const weight = answered.reduce((sum, { agent }) => sum + agent.today.served, 0);
  const total = answered.reduce(
    (sum, { agent }) => sum + (agent.today.first_response_ms ?? 0) * agent.today.served,
    0,
  );
  return {
    online: online.length,
    agents: rows.length,
    running: departmentId === null ? floor.running_total : running.length,
    places: rows
      .filter(({ presence }) => presence === "online" || presence === "busy")
      .reduce((sum, { agent }) => sum + agent.capacity, 0),
    waiting: departmentId === null ? floor.waiting_total : line,
    waitingSince: oldest(waiting.map((one) => one.since)),
    unansweredSince: oldest(running.map((one) => one.unanswered_since)),
    firstResponseMs: weight === 0 ? null : total / weight,
  };
}
