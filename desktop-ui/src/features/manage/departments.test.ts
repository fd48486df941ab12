// The larger the number, the earlier a department is listed.

import { expect, it } from "vitest";
import { department } from "../../../testing/settings";
import { departmentProblems } from "./checks";
import { byOrder, newDepartment } from "./departments";

it("lists the larger order earlier and equal ones as they stand", () => {
  const all = [
    department("a", "A", { order: -5 }),
    department("b", "B", { order: 10 }),
    department("c", "C", { order: 10 }),
    department("d", "D"),
  ];
  expect(byOrder(all).map(({ id }) => id)).toEqual(["b", "c", "d", "a"]);
});

it("puts a new one last, complete but for its name", () => {
  const all = [department("a", "A", { order: -5 })];
  const fresh = newDepartment(all);
  expect(byOrder([fresh, ...all]).at(-1)).toBe(fresh);
  expect(departmentProblems({ ...fresh, name: "夜班" }, all)).toEqual({});
});
