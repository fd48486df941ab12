// What the look page shows of the floor, of contacts and of explanations.

import type { Assignments } from "../../shared/bindings/Assignments";
import type { ColleagueCard } from "../../shared/bindings/ColleagueCard";
import type { Company } from "../../shared/bindings/Company";
import type { Floor } from "../../shared/bindings/Floor";
import type { RecentContact } from "../../shared/bindings/RecentContact";
import * as example from "./examples";

type Say = (chinese: string, english: string) => string;
type Ago = (seconds: number) => number;

export function company(say: Say): Company {
  return {
    ...example.company,
    departments: [
      { id: "default", name: "" },
      { id: "sales", name: say("售前咨询", "Sales") },
      { id: "repair", name: say("售后维修", "Repair") },
    ],
    skills: [{ id: "skill-en", name: say("英语", "English") }],
  };
}

const PEOPLE: [id: string, zh: string, en: string, department: string, running: number][] = [
  ["agent-2000", "李思源", "Li Siyuan", "sales", 8],
  ["agent-3000", "何静怡", "He Jingyi", "sales", 3],
  ["agent-4000", "王一帆", "Wang Yifan", "repair", 5],
  ["agent-5000", "唐若溪", "Tang Ruoxi", "repair", 7],
  ["agent-6000", "郭子昂", "Guo Ziang", "sales", 0],
];

export function colleagues(say: Say): ColleagueCard[] {
  return PEOPLE.map(([id, zh, en, department]) =>
    example.colleague({
      card: { id, nickname: say(zh, en) },
      capacity: 8,
      availability: id === "agent-6000" ? "away" : "online",
      departments: department === "sales" ? ["sales", "default"] : [department],
    }),
  );
}

export function floor(say: Say, ago: Ago): Floor {
  const running = (at: number, label: string, agent: string, zh: string, en: string) => ({
    conversation_id: `r${at}`,
    label,
    site_id: "site-1",
    department_id: "sales",
    agent_id: agent,
    members: at === 2 ? ["agent-3000"] : [],
    since: ago(500),
    unanswered_since: at < 4 ? ago(240 - at * 60) : null,
    text: say(zh, en),
  });
  const department = (
    department_id: string,
    waiting: number,
    attended_by: number,
    free: number,
  ) => ({
    department_id,
    open: true,
    waiting,
    attended_by,
    free,
    expected_wait_ms: null,
  });
  return example.floor({
    agents: PEOPLE.map(([id, , , , taken]) =>
      example.floorAgent(id, {
        running: taken,
        capacity: 8,
        availability: id === "agent-6000" ? "away" : "online",
      }),
    ),
    departments: [
      department("default", 1, 2, 5),
      department("sales", 2, 2, 5),
      department("repair", 1, 2, 4),
    ],
    waiting: [
      example.floorWaiting("w1", {
        label: "E2B1",
        department_id: "repair",
        since: ago(192),
        front: true,
        reason: "all_full",
        text: say("机器人一直报 E11，重启三次了", "The robot keeps saying E11, restarted thrice"),
      }),
      example.floorWaiting("w2", {
        label: "5D1E",
        department_id: "sales",
        since: ago(85),
        vip: true,
        priority: 10,
        text: say("企业采购 40 台，今天能报价吗？", "40 for our office, can I have a quote today?"),
      }),
      example.floorWaiting("w3", {
        label: "90B7",
        department_id: "sales",
        since: ago(38),
        place: 2,
        own_agent: "agent-2000",
        text: say("还找上次那位", "The same agent as last time, please"),
      }),
      example.floorWaiting("w4", {
        label: "77AC",
        since: ago(9),
        reason: "routing",
        text: say("你好", "Hello"),
      }),
    ],
    running: [
      running(1, "9C4D", "agent-4000", "边刷一直转不停", "The side brush keeps spinning"),
      running(2, "B71E", "agent-2000", "发票抬头可以改吗？", "Can the invoice be changed?"),
      running(3, "40AA", "agent-5000", "配件什么时候到货", "When do the parts arrive"),
      running(4, "D20B", "agent-3000", "好的，谢谢", "Great, thank you"),
    ],
  });
}

export function contacts(say: Say, ago: Ago): RecentContact[] {
  const texts: [label: string, zh: string, en: string][] = [
    ["3F2A", "太好了，那地毯会不会被弄湿呀？", "Great. And will my rug get wet?"],
    ["C118", "好的，我下单了", "All right, I ordered it"],
    ["81C0", "收到货再联系你们", "I will write when it arrives"],
    ["A9E5", "谢谢，已经重新配好网了", "Thanks, it is back on Wi-Fi"],
    ["0F6D", "那我再考虑一下", "Let me think about it"],
  ];
  return texts.map(([label, zh, en], at) => ({
    visitor: { ...example.vera, id: `visitor-${label}`, label },
    online: at < 2,
    conversation_id: at === 0 ? "c2" : `old${at}`,
    is_open: at === 0,
    last_at: ago(40 + at * at * 30_000),
    text: say(zh, en),
  }));
}

export function assignments(say: Say, ago: Ago): Assignments {
  const candidate = (
    agent_id: string,
    running: number,
    verdict: "taken" | "more_loaded" | "full" | "away" | "lacks_skill",
  ) => ({ agent_id, running, capacity: 8, idle_since: ago(400), verdict });
  return {
    conversation_id: "c2",
    assignments: [
      {
        at: ago(458),
        agent_id: "agent-3000",
        how: {
          kind: "routing",
          why: {
            cause: { kind: "waited", for_ms: 12_000 },
            rule: { id: "rule-1", name: say("商品页咨询", "Product pages") },
            department_id: "sales",
            skill_id: null,
            own_agent: null,
            candidates: [
              candidate("agent-3000", 2, "taken"),
              candidate("agent-1000", 4, "more_loaded"),
              candidate("agent-2000", 8, "full"),
              candidate("agent-6000", 0, "away"),
            ],
            unlisted: 3,
          },
        },
      },
      { at: ago(300), agent_id: "agent-1000", how: { kind: "accepted", from: "agent-3000" } },
    ],
  };
}

/** Names as they come: long, Latin, one character, with a title. */
const NAMES = [
  "欧阳晓雨（华东售后组长）",
  "Bartholomew Featherstonehaugh",
  "王",
  "阿依古丽·买买提",
  "Ng",
];
const nameOf = (at: number) => `${NAMES[at % NAMES.length] ?? ""}${at >= NAMES.length ? at : ""}`;
const crowdId = (at: number) => `crowd-${at}`;

/** As many colleagues as a large company has, for a crowd of conversations. */
export function moreColleagues(crowd: number): ColleagueCard[] {
  return Array.from({ length: Math.ceil(crowd / 3) }, (_, at) =>
    example.colleague({
      card: { id: crowdId(at), nickname: nameOf(at) },
      capacity: at === 1 ? 200 : 8,
      departments: at % 2 === 0 ? ["sales", "repair", "default"] : ["repair"],
    }),
  );
}

/** The floor of a busy day. */
export function crowded(floor: Floor, crowd: number, ago: Ago): Floor {
  const label = (at: number) => (0x2000 + at * 41).toString(16).toUpperCase();
  const text = "想问一下这款扫地机器人的发货时间、安装和三年质保，最好今天能回复我";
  return {
    ...floor,
    agents: [
      ...floor.agents,
      ...Array.from({ length: Math.ceil(crowd / 3) }, (_, at) =>
        example.floorAgent(crowdId(at), {
          running: at === 1 ? 137 : at % 9,
          capacity: at === 1 ? 200 : 8,
          availability: at % 5 === 0 ? "busy" : "online",
          unanswered: at % 4,
          since: ago(at * 97),
        }),
      ),
    ],
    waiting: [
      ...floor.waiting,
      ...Array.from({ length: crowd }, (_, at) =>
        example.floorWaiting(`cw${at}`, {
          label: label(at),
          since: ago(at * 2 + 5),
          place: at + 1,
          vip: at % 11 === 0,
          department_id: "sales",
          own_agent: at % 13 === 0 ? crowdId(0) : null,
          text,
        }),
      ),
    ],
    waiting_total: floor.waiting_total + crowd + 120,
    running: [
      ...floor.running,
      ...Array.from({ length: crowd }, (_, at) => ({
        conversation_id: `cr${at}`,
        label: label(at + 600),
        site_id: "site-1",
        department_id: "repair",
        agent_id: crowdId(at % Math.ceil(crowd / 3)),
        members: at % 10 === 0 ? [crowdId(0), crowdId(1)] : [],
        since: ago(at * 11 + 60),
        unanswered_since: at % 2 === 0 ? ago(at * 2) : null,
        text,
      })),
    ],
    running_total: floor.running_total + crowd,
  };
}
