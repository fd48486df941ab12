// Everything that names a department or a skill is found.

import { expect, it } from "vitest";
import type { ColleagueCard } from "../../../../shared/bindings/ColleagueCard";
import { settings } from "../../../testing/settings";
import { usesOfDepartment, usesOfSkill } from "./uses";

const ana: ColleagueCard = {
  card: { id: "agent-1000", nickname: "Ana" },
  role: "agent",
  availability: "online",
  capacity: 8,
  departments: ["service"],
  skills: ["skill-1"],
  disabled: true,
};

it("finds what names a department, questions included", () => {
  const all = settings();
  all.company.value.categories = [{ name: "维修", department_id: "service" }];
  all.company.value.sites = { "site-1": "service", "site-2": "default" };
  expect(usesOfDepartment("service", all, [ana])).toEqual([
    { what: "category", name: "维修" },
    { what: "site", name: "site-1" },
    { what: "rule", name: "老客户售后" },
    { what: "agent", name: "Ana" },
  ]);
  expect(usesOfDepartment("default", all, [ana])).toContainEqual({ what: "company", name: "" });
  expect(usesOfDepartment("nobody", all, [ana])).toEqual([]);
});

it("finds what names a skill", () => {
  expect(usesOfSkill("skill-1", settings(), [ana])).toEqual([
    { what: "rule", name: "VIP 优先" },
    { what: "agent", name: "Ana" },
  ]);
});
