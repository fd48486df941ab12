// The relay's bounds, said where they are broken.

import { describe, expect, it } from "vitest";
import { department, rule, settings } from "../../../testing/settings";
import {
  agentProblems,
  askProblem,
  companyProblems,
  departmentProblems,
  departmentsProblems,
  isZone,
  rulesProblems,
  skillsProblems,
  wordsProblems,
} from "./checks";

const company = settings().company.value;

describe("the example settings", () => {
  it("are good", () => {
    const { departments, rules, skills, prompts } = settings();
    expect(companyProblems(company)).toEqual({});
    expect(departmentsProblems(departments.value)).toEqual({});
    expect(rulesProblems(rules.value)).toEqual({});
    expect(skillsProblems(skills.value)).toEqual({});
    expect(wordsProblems(prompts.value)).toEqual({});
  });
});

describe("the company", () => {
  it("needs a zone, names for its categories, and a warning before the alarm", () => {
    expect(isZone("Asia/Shanghai")).toBe(true);
    expect(isZone("Asia/Atlantis")).toBe(false);
    const category = (name: string) => ({ name, department_id: "default" });
    expect(
      companyProblems({
        ...company,
        zone: "",
        categories: [category("售前"), category(" 售前 "), category("")],
        attention: { warn_s: 180, red_s: 180 },
      }),
    ).toEqual({
      zone: "manage.zone_unknown",
      "categories/1": "manage.name_twice",
      "categories/2": "manage.name_missing",
      attention: "manage.attention_order",
    });
  });
});

describe("a department", () => {
  const all = settings().departments.value;
  it("has a name of its own; only the first may have none", () => {
    expect(departmentProblems(department("default", ""), all)).toEqual({});
    expect(departmentProblems(department("new", " "), all)).toEqual({
      name: "manage.name_missing",
    });
    expect(departmentProblems(department("new", "售后维修"), all)).toEqual({
      name: "manage.name_twice",
    });
    expect(departmentProblems(department("new", "部".repeat(65)), all)).toEqual({
      name: "manage.name_long",
    });
  });

  it("is open at some time, and asks before it warns", () => {
    const closed = { zone: "", week: Array.from({ length: 7 }, () => []), special: [] };
    expect(departmentProblems(department("new", "夜班", { hours: closed }), all)).toEqual({
      week: "manage.week_empty",
    });
    const silence = { ask_s: 300, warn_s: 300, end_s: null };
    expect(departmentProblems(department("new", "夜班", { silence }), all)).toEqual({
      silence: "manage.silence_order",
    });
  });
});

describe("a rule's questions", () => {
  it("have values, whole ranges and whole spans", () => {
    const text = { kind: "text", of: "page", field: "", is: "contains", values: [] } as const;
    expect(askProblem({ ...text, values: [] })).toBe("manage.values_missing");
    expect(askProblem({ ...text, is: "known", values: [] })).toBeNull();
    expect(askProblem({ ...text, values: ["x".repeat(201)] })).toBe("manage.value_long");
    expect(askProblem({ ...text, of: "field", values: ["x"] })).toBe("manage.field_missing");
    expect(askProblem({ kind: "number", of: "visits", from: 3, to: 2 })).toBe(
      "manage.range_backwards",
    );
    expect(askProblem({ kind: "time", days: [], span: { from: 1_320, to: 360 } })).toBe(
      "manage.span_backwards",
    );
    expect(askProblem({ kind: "vip" })).toBeNull();
  });

  it("are told where they stand", () => {
    const broken = { not: false, ask: { kind: "open", department_id: "" } } as const;
    const good = { not: false, ask: { kind: "vip" } } as const;
    expect(rulesProblems([rule("r1", "", { when: [good, broken] })])).toEqual({
      "r1/name": "manage.name_missing",
      "r1/when/1": "manage.department_missing",
    });
  });
});

describe("an account", () => {
  const form = { account: "ben", password: "correct horse", nickname: "Ben" };
  it("has a name, and a password that is not its name", () => {
    expect(agentProblems(form, true)).toEqual({});
    expect(agentProblems({ ...form, password: "short" }, true)).toEqual({
      password: "manage.password_bad",
    });
    expect(agentProblems({ ...form, account: "Correct Horse" }, true)).toEqual({
      password: "manage.password_bad",
    });
    expect(agentProblems({ account: "", password: "", nickname: "Ben" }, false)).toEqual({});
  });
});
