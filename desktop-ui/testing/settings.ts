// Example settings of a company: two departments, two skills, two rules.

import type { DepartmentSettings } from "../../shared/bindings/DepartmentSettings";
import type { RuleSettings } from "../../shared/bindings/RuleSettings";
import type { Settings } from "../../shared/bindings/Settings";

export function department(
  id: string,
  name: string,
  change: Partial<DepartmentSettings> = {},
): DepartmentSettings {
  return {
    id,
    name,
    order: 0,
    policy: { kind: "pool" },
    hours: null,
    close_line: false,
    no_answer: { after_s: 180, transfers_max: 3 },
    wrap_up_s: 0,
    silence: { ask_s: null, warn_s: null, end_s: null },
    explain_s: null,
    file_after_s: null,
    wait_s_max: null,
    ...change,
  };
}

export function rule(id: string, name: string, change: Partial<RuleSettings> = {}): RuleSettings {
  return {
    id,
    name,
    enabled: true,
    when: [],
    department_id: null,
    skill_id: null,
    agent_id: null,
    priority: null,
    ...change,
  };
}

export function settings(change: Partial<Settings> = {}): Settings {
  return {
    company: {
      version: 3,
      value: {
        zone: "Asia/Shanghai",
        grace_s: 60,
        invitation_s: 60,
        default_department: "default",
        categories: [],
        sites: {},
        seats_for_silent: [],
        choose_department: false,
        choose_agent: false,
        announce_entering: true,
        attention: { warn_s: 60, red_s: 180 },
      },
    },
    departments: {
      version: 2,
      value: [
        department("default", ""),
        department("service", "售后维修", {
          order: 10,
          hours: {
            zone: "",
            week: [
              ...Array.from({ length: 5 }, () => [
                { from: 540, to: 720 },
                { from: 780, to: 1_080 },
              ]),
              [],
              [],
            ],
            special: [{ date: "2026-10-01", spans: [] }],
          },
        }),
      ],
    },
    skills: { version: 1, value: [{ id: "skill-1", name: "VIP 专席" }] },
    rules: {
      version: 5,
      value: [
        rule("rule-1", "VIP 优先", {
          when: [{ not: false, ask: { kind: "vip" } }],
          skill_id: "skill-1",
          priority: 200,
        }),
        rule("rule-2", "老客户售后", {
          when: [
            {
              not: false,
              ask: { kind: "text", of: "page", field: "", is: "contains", values: ["/support"] },
            },
            { not: true, ask: { kind: "open", department_id: "service" } },
          ],
          department_id: "service",
        }),
      ],
    },
    prompts: {
      version: 0,
      value: {
        waiting: "",
        queued: "",
        nobody_online: "",
        closed: "",
        agent_joined: "",
        agent_changed: "",
        agent_ended: "",
        timed_out: "",
        agent_away: "",
        reconnecting: "",
        offline: "",
        message_left: "",
      },
    },
    auto_replies: {
      version: 0,
      value: { forced: false, texts: { ask_visitor: "", warn_visitor: "", explain_delay: "" } },
    },
    ...change,
  };
}
