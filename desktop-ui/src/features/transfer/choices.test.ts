// Whom one may ask: online and connected, nobody who is there already, the least loaded first.

import { describe, expect, it } from "vitest";
import { ana, ben, colleague, floor, floorAgent } from "../../../testing/examples";
import { agentChoices, departmentChoices, matches } from "./choices";

const people = Object.fromEntries(
  [ana, ben, { id: "cai", nickname: "Cai" }, { id: "dan", nickname: "Dan" }].map((card) => [
    card.id,
    colleague({ card }),
  ]),
);
const ids = (agents: ReturnType<typeof floorAgent>[], without: string[] = []) =>
  agentChoices(floor({ agents }), people, without).map((one) => one.id);

describe("colleagues to choose from", () => {
  it("are online and connected (F02)", () => {
    expect(
      ids([
        floorAgent(ana.id, { availability: "busy" }),
        floorAgent(ben.id, { availability: "away" }),
        floorAgent("cai", { connected: false }),
        floorAgent("dan"),
      ]),
    ).toEqual(["dan"]);
  });

  it("are known, and not there already", () => {
    expect(ids([floorAgent("who"), floorAgent(ana.id), floorAgent(ben.id)], [ana.id])).toEqual([
      ben.id,
    ]);
  });

  it("stand by their load relative to what they can take, full ones last", () => {
    const agents = [
      floorAgent("dan", { running: 4, capacity: 4 }),
      floorAgent("cai", { running: 3, capacity: 8 }),
      floorAgent(ben.id, { running: 2, capacity: 4 }),
    ];
    expect(ids(agents)).toEqual(["cai", ben.id, "dan"]);
    expect(agentChoices(floor({ agents }), people, []).map((one) => one.full)).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("departments to choose from", () => {
  it("have somebody there", () => {
    const [one] = floor().departments;
    if (one === undefined) throw new Error("the example has a department");
    const departments = [one, { ...one, department_id: "night", attended_by: 0 }];
    expect(departmentChoices(floor({ departments }))).toEqual([one]);
  });
});

describe("the search", () => {
  it.each([
    ["Li Siyuan", "siy", true],
    ["李思源", "思", true],
    ["李思源", " ", true],
    ["李思源", "王", false],
  ])("%s by %j", (name, typed, found) => expect(matches(name, typed)).toBe(found));
});
