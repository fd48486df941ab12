// Every order of the waiting list, and that equals never change places.

import { describe, expect, it } from "vitest";
import { floorWaiting } from "../../../testing/examples";
import { sortWaiting } from "./order";

const rows = [
  floorWaiting("a", { since: 30, place: 2, department_id: "repair" }),
  floorWaiting("b", { since: 20, place: 1, department_id: "sales", priority: 5 }),
  floorWaiting("c", { since: 40, place: 1, department_id: "repair", vip: true }),
  floorWaiting("d", { since: 10, place: 2, department_id: "sales" }),
  floorWaiting("e", { since: 50, place: 1, department_id: "gone", priority: 9 }),
];
const order = (by: Parameters<typeof sortWaiting>[1]) =>
  sortWaiting(rows, by, ["sales", "repair"])
    .map((row) => row.conversation_id)
    .join("");

describe("the waiting list", () => {
  it.each([
    ["wait", "dbace"],
    ["priority", "cebda"],
    ["department", "bdcae"],
    ["place", "bceda"],
  ] as const)("by %s", (by, expected) => expect(order(by)).toBe(expected));

  it("stands by the id where nothing else differs", () => {
    const same = [floorWaiting("z"), floorWaiting("y")];
    for (const by of ["wait", "priority", "department", "place"] as const) {
      expect(sortWaiting(same, by, []).map((row) => row.conversation_id)).toEqual(["y", "z"]);
    }
  });
});
