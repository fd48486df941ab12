// The agents' table as a list: its columns, what it can be sorted by, and which way each is read.

import type { ListKind } from "../../stores/lists";
import type { AgentSort } from "./figures";

/** What a row may tell beside who it is. */
export type AgentColumn =
  | "presence"
  | "load"
  | "unanswered"
  | "served"
  | "first_response"
  | "online"
  | "busy"
  | "rest";

const COLUMNS: readonly AgentColumn[] = [
  "presence",
  "load",
  "unanswered",
  "served",
  "first_response",
  "online",
  "busy",
  "rest",
];

/** The table. */
export const AGENTS: ListKind<AgentColumn, AgentSort> = {
  name: "floor_agents",
  columns: COLUMNS,
  sorts: ["agent", "presence", "load", "unanswered", "served", "first_response"],
  usual: { columns: COLUMNS, sort: "presence", reversed: false },
};

/** Which columns are sorted by, and which way first; the others only tell. */
export const SORTS: Readonly<Record<string, "ascending" | "descending">> = {
  agent: "ascending",
  presence: "ascending",
  load: "descending",
  unanswered: "descending",
  served: "descending",
  first_response: "descending",
};

/** Figures, at the right of their columns. */
export const AT_END: readonly string[] = [
  "unanswered",
  "served",
  "first_response",
  "online",
  "busy",
  "rest",
];
/** Left out where there is little room. */
export const WIDE: readonly string[] = ["online", "busy"];
