// What the look page shows of the settings: a relay that keeps what is saved, and a day's work for
// everybody on the floor.

import type { ColleagueCard } from "../../shared/bindings/ColleagueCard";
import type { DryRunAnswer } from "../../shared/bindings/DryRunAnswer";
import type { Floor } from "../../shared/bindings/Floor";
import type { HourFigures } from "../../shared/bindings/HourFigures";
import type { ReplayAnswer } from "../../shared/bindings/ReplayAnswer";
import type { ReplayFigures } from "../../shared/bindings/ReplayFigures";
import type { Settings } from "../../shared/bindings/Settings";
import type { SiteSettings } from "../../shared/bindings/SiteSettings";
import type { RelayAnswer } from "../../shared/bindings/ui/RelayAnswer";
import type { RelayCall } from "../../shared/bindings/ui/RelayCall";
import type { WaitFigures } from "../../shared/bindings/WaitFigures";
import { HostError } from "../src/host";
import { department, rule, settings } from "./settings";

type Say = (chinese: string, english: string) => string;
type Ago = (seconds: number) => number;

export function sites(say: Say): SiteSettings[] {
  return [
    {
      id: "site-1",
      name: say("云洁商城", "Yunjie Shop"),
      enabled: true,
      domains: ["https://shop.yunjie.example", "https://*.yunjie.example"],
      welcome: say(
        "您好，这里是云洁商城，有什么可以帮您？",
        "Hello, this is Yunjie. How can we help?",
      ),
      preview: true,
      return_tickets: true,
    },
  ];
}

function company(say: Say): Settings {
  const base = settings();
  const repair = say("售后维修", "Repair");
  const week = base.departments.value[1]?.hours ?? null;
  const text = (of: "page" | "category" | "language", values: string[]) => ({
    not: false,
    ask: {
      kind: "text",
      of,
      field: "",
      is: of === "page" ? "contains" : "one_of",
      values,
    } as const,
  });
  return {
    ...base,
    public_url: "https://chat.yunjie.example",
    company: {
      version: 3,
      value: {
        ...base.company.value,
        categories: [
          { name: say("售前", "Sales"), department_id: "sales" },
          { name: say("售后", "After sales"), department_id: "repair" },
        ],
        sites: { "site-1": "sales" },
      },
    },
    departments: {
      version: 2,
      value: [
        department("default", ""),
        department("sales", say("售前咨询", "Sales"), { order: 20 }),
        department("repair", repair, { order: 10, hours: week, policy: { kind: "sticky" } }),
      ],
    },
    skills: { version: 1, value: [{ id: "skill-en", name: say("英语", "English") }] },
    rules: {
      version: 5,
      value: [
        rule("r1", say("VIP 优先", "VIP first"), {
          when: [{ not: false, ask: { kind: "vip" } }],
          priority: 200,
          department_id: "sales",
        }),
        rule("r2", say("夜间值班", "Night shift"), {
          when: [{ not: true, ask: { kind: "open", department_id: "repair" } }],
          department_id: "default",
        }),
        rule("r3", say("老客户售后", "Returning, repair"), {
          when: [
            text("page", ["/support", "/repair"]),
            { not: false, ask: { kind: "number", of: "visits", from: 2, to: 4_294_967_295 } },
            text("language", ["zh-CN"]),
          ],
          department_id: "repair",
        }),
        rule("r4", say("海外访客", "Visitors from abroad"), {
          when: [text("language", ["en"])],
          skill_id: "skill-en",
        }),
        rule("r5", say("大促临时组", "Sale week"), {
          enabled: false,
          when: [
            {
              not: false,
              ask: { kind: "time", days: [5, 6], span: { from: 540, to: 1_320 } },
            },
          ],
          department_id: "sales",
        }),
      ],
    },
  };
}

const dryRun = (held: Settings, ago: Ago): DryRunAnswer => {
  const [first, second, third] = held.rules.value;
  const passed = [first, second].flatMap((one) =>
    one === undefined ? [] : [{ rule: { id: one.id, name: one.name }, unmet: one.when[0] ?? null }],
  );
  const candidate = (agent_id: string, running: number, verdict: "taken" | "full" | "away") => ({
    agent_id,
    running,
    capacity: 8,
    idle_since: ago(60),
    verdict,
  });
  return {
    passed_over: passed,
    department_by: "rule",
    why: {
      cause: { kind: "asked" },
      rule: third === undefined ? null : { id: third.id, name: third.name },
      department_id: "repair",
      skill_id: null,
      own_agent: null,
      candidates: [
        candidate("agent-4000", 5, "taken"),
        { ...candidate("agent-5000", 7, "full"), verdict: "more_loaded" },
        candidate("agent-2000", 8, "full"),
        candidate("agent-6000", 0, "away"),
      ],
      unlisted: 0,
    },
    waits: null,
  };
};

/** A day with a busy late morning: `relief` of ten who would wait need not. */
const figures = (relief: number): ReplayFigures => {
  const hours = Array.from({ length: 24 }, (_, hour) => {
    const rush = Math.max(0, 8 - Math.abs(hour - 11)) + Math.max(0, 6 - Math.abs(hour - 20));
    const strain = Math.max(0, rush - relief / 2);
    return { came: rush * 4, missed: Math.floor(strain / 3), wait_mean_ms: strain * 24_000 };
  });
  const sum = (of: (hour: HourFigures) => number) => hours.reduce((all, one) => all + of(one), 0);
  const came = sum((hour) => hour.came);
  const missed = sum((hour) => hour.missed);
  const part = (of: number): WaitFigures => ({
    came: Math.round(came * of),
    missed: Math.round(missed * of),
    served: Math.round(came * of) - Math.round(missed * of),
    wait_mean_ms: 96_000 - relief * 9_000,
    wait_p50_ms: 61_000 - relief * 6_000,
    wait_p95_ms: 402_000 - relief * 30_000,
    wait_max_ms: 611_000 - relief * 40_000,
    answer_mean_ms: 148_000 - relief * 11_000,
    moved: Math.round((14 - relief * 2) * of),
  });
  return {
    all: part(1),
    departments: { default: part(0.6), repair: part(0.4) },
    hours,
    agents: {
      "agent-1000": { served: 31 + relief, at_once: 8 },
      "agent-4000": { served: 42 + relief, at_once: 8 + relief },
      "agent-5000": { served: 37, at_once: 8 },
    },
  };
};

const replayed: ReplayAnswer = { before: figures(0), as_now: figures(1), after: figures(5) };

/** Answers what the management centre asks; `null` for what is another's. */
export function manageRelay(say: Say, ago: Ago, people: readonly ColleagueCard[]) {
  let held = company(say);
  const agents = [
    ...people,
    {
      card: { id: "agent-1000", nickname: say("周晓雨", "Zhou Xiaoyu") },
      role: "admin",
      availability: "online",
      capacity: 8,
      departments: ["default", "sales"],
      skills: ["skill-en"],
      disabled: false,
    } as const,
    {
      card: { id: "agent-7000", nickname: say("梁慧", "Liang Hui") },
      role: "agent",
      availability: "away",
      capacity: 6,
      departments: ["repair"],
      skills: [],
      disabled: true,
    } as const,
  ];
  return (call: RelayCall): RelayAnswer | null => {
    switch (call.type) {
      case "get_settings":
        return { type: "settings", body: held };
      case "save_settings": {
        const { base, section } = call.body;
        const { version } = held[section.name];
        if (version !== base) {
          throw new HostError({ kind: "refused", code: "changed", retry_after_ms: null });
        }
        held = { ...held, [section.name]: { version: version + 1, value: section.value } };
        return { type: "settings", body: held };
      }
      case "list_agents":
        return { type: "agents", body: { agents: [...agents] as ColleagueCard[] } };
      case "dry_run":
        return { type: "dry_run", body: dryRun(held, ago) };
      case "replay":
        return { type: "replay", body: replayed };
      case "audit": {
        const deeds = ["settings", "assign", "watch", "enter", "take_over", "agent"];
        const subjects = ["rules", "c1f00001", "c2f00002", "c2f00002", "c3f00003", "agent-5000"];
        const entries = deeds.map((deed, at) => ({
          number: 100 - at,
          at: ago(at * 1_700 + 40),
          agent_id: "agent-1000",
          deed,
          subject: subjects[at] ?? "",
        }));
        return { type: "audit", body: { entries, has_earlier: true } };
      }
      case "assignments":
      case "recent_contacts":
        return null;
      default:
        return { type: "done", body: {} };
    }
  };
}

/** The floor with a day's work on everybody's account. */
export function atWork(floor: Floor, ago: Ago): Floor {
  return {
    ...floor,
    agents: floor.agents.map((agent, at) => ({
      ...agent,
      availability: at === 1 ? "busy" : agent.availability,
      connected: at !== 3,
      unanswered: floor.running.filter(
        (one) => one.agent_id === agent.agent_id && one.unanswered_since !== null,
      ).length,
      since: ago([8_045, 372, 6_738, 61_200, 866][at] ?? 60),
      today: {
        served: [37, 29, 26, 0, 21][at] ?? 0,
        ended: [29, 26, 21, 0, 21][at] ?? 0,
        first_response_ms: at === 3 ? null : ([17_000, 24_000, 26_000, 0, 23_000][at] ?? null),
        online_s: [8_040, 9_300, 6_720, 0, 7_300][at] ?? 0,
        busy_s: [0, 372, 600, 0, 0][at] ?? 0,
        away_s: [720, 1_500, 1_860, 0, 3_866][at] ?? 0,
      },
    })),
    departments: floor.departments.map((one, at) => ({
      ...one,
      open: at !== 0,
      expected_wait_ms: at === 1 ? 160_000 : null,
    })),
    waiting_total: floor.waiting.length,
    running_total: floor.running.length,
  };
}
