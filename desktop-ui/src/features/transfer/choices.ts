// Whom one may ask: only colleagues who are online (F02), the least loaded first. Pure: values in,
// values out.

import type { Floor } from "../../../../shared/bindings/Floor";
import type { FloorAgent } from "../../../../shared/bindings/FloorAgent";
import type { FloorDepartment } from "../../../../shared/bindings/FloorDepartment";
import type { People } from "../../stores/people";

/** A colleague who can be asked. */
export interface AgentChoice {
  id: string;
  name: string;
  running: number;
  capacity: number;
  full: boolean;
  departments: readonly string[];
}

const share = (agent: FloorAgent) => agent.running / Math.max(1, agent.capacity);

/** Online colleagues, the least loaded first; never oneself, nor who is there already. */
export function agentChoices(
  floor: Floor,
  people: People,
  without: readonly string[],
): AgentChoice[] {
  return floor.agents
    .filter(
      (agent) =>
        agent.availability === "online" &&
        agent.connected &&
        !without.includes(agent.agent_id) &&
        people[agent.agent_id] !== undefined,
    )
    .sort((a, b) => share(a) - share(b) || (a.agent_id < b.agent_id ? -1 : 1))
    .map((agent) => ({
      id: agent.agent_id,
      name: people[agent.agent_id]?.card.nickname ?? "",
      running: agent.running,
      capacity: agent.capacity,
      full: agent.running >= agent.capacity,
      departments: people[agent.agent_id]?.departments ?? [],
    }));
}

/** Departments somebody answers in now, in the company's order. */
export function departmentChoices(floor: Floor): FloorDepartment[] {
  return floor.departments.filter((department) => department.attended_by > 0);
}

/** Whether a name is meant by what was typed. */
export function matches(name: string, typed: string): boolean {
  return name.toLocaleLowerCase().includes(typed.trim().toLocaleLowerCase());
}
