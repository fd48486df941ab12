// The workbench with a scripted core, to be looked at while it is being built: `vite testing` and
// open it with `#scene=chat&locale=en&theme=dark`; `role=manager`, `stand=watching`, `notes`, `asked`,
// `inviting`, `companions` show what their names say, `crowd=500` is a full floor, `click=a,b` clicks
// test ids in turn. Not
// part of the product: nothing in src/ refers to it and the build does not contain it.

import { createRoot } from "react-dom/client";
import type { ConversationStatus } from "../../shared/bindings/ConversationStatus";
import type { Message } from "../../shared/bindings/Message";
import type { Role } from "../../shared/bindings/Role";
import type { ConnectionState } from "../../shared/bindings/ui/ConnectionState";
import type { InboxRow } from "../../shared/bindings/ui/InboxRow";
import type { OutboxItem } from "../../shared/bindings/ui/OutboxItem";
import type { Standing } from "../../shared/bindings/ui/Standing";
import type { Theme } from "../../shared/bindings/ui/Theme";
import type { UiState } from "../../shared/bindings/ui/UiState";
import { HostError, installHost } from "../src/host";
import { start } from "../src/stores/pushes";
import "../src/styles/tokens.css";
import "../src/styles/base.css";
import { App } from "../src/views/App";
import * as example from "./examples";
import * as busy from "./lookFloor";
import { atWork, manageRelay, sites } from "./lookManage";
import { done, ScriptedHost } from "./scriptedHost";

const scene = new URLSearchParams(window.location.hash.slice(1));
const zh = scene.get("locale") !== "en";
const say = (chinese: string, english: string) => (zh ? chinese : english);
const now = Date.now();
const ago = (seconds: number) => now - seconds * 1_000;

const xiaoyu = { id: "agent-1000", nickname: say("周晓雨", "Zhou Xiaoyu") };
const shop = say("云洁商城", "Yunjie Shop");
const help = say("云洁售后", "Yunjie Support");

function visitor(label: string, site: string, title: string, path: string) {
  return {
    id: `visitor-${label}`,
    site_id: `site-${site}`,
    site_name: site,
    label,
    page_url: `https://yunjie.example/${path}`,
    page_title: title,
    locale: zh ? "zh-CN" : "en",
  };
}

const x20 = say("云洁 X20 Pro 扫拖一体机器人", "Yunjie X20 Pro robot mop");

function row(id: string, who: ReturnType<typeof visitor>, change: Partial<InboxRow>): InboxRow {
  return example.inboxRow(id, { visitor: who, ...change });
}

function line(own: boolean, chinese: string, english: string, at: number): Message {
  const text = say(chinese, english);
  return own ? example.agentSays(9, text, xiaoyu, { at }) : example.visitorSays(9, text, { at });
}

const inbox: InboxRow[] = [
  row("c1", visitor("9C4D", help, say("报修与保修", "Repair and warranty"), "support/x20"), {
    said: line(false, "边刷一直转不停，重启也没用", "The side brush keeps spinning", ago(206)),
    unanswered_since: ago(206),
    order: { group: 0, key: ago(206) },
  }),
  row("c3", visitor("B71E", shop, say("企业采购", "Business orders"), "business"), {
    said: line(false, "发票抬头可以改成公司吗？", "Can the invoice name my firm?", ago(112)),
    unread: 2,
    unanswered_since: ago(112),
    order: { group: 0, key: ago(112) },
  }),
  row("c2", visitor("3F2A", shop, x20, "p/x20-pro"), {
    said: line(false, "太好了，那地毯会不会被弄湿呀？", "Great. And will my rug get wet?", ago(41)),
    unanswered_since: ago(41),
    preview: say("那今天下单的话，明天能送到浦东吗", "if I order today, can it reach Pudong"),
    order: { group: 0, key: ago(41) },
  }),
  row("c4", visitor("50AF", shop, x20, "p/x20-pro"), {
    said: line(false, "X20 和 X20 Pro 差在哪里", "X20 or X20 Pro, what differs?", ago(12)),
    unread: 1,
    unanswered_since: ago(12),
    order: { group: 0, key: ago(12) },
  }),
  row("c5", visitor("D20B", help, say("耗材与配件", "Parts"), "parts"), {
    said: line(true, "滤网建议每两个月更换一次", "Change the filter every two months", ago(420)),
    draft: say("对了，现在买三送一", "By the way, buy three get one free"),
    order: { group: 1, key: -ago(420) },
  }),
  row("c6", visitor("81C0", shop, say("首页", "Home"), ""), {
    said: line(true, "好的，收到货再联系我们", "All right, write when it arrives", ago(1_500)),
    visitor_online: false,
    send_failed: true,
    unsent: 1,
    order: { group: 1, key: -ago(1_500) },
  }),
  row("c7", visitor("A9E5", shop, say("首页", "Home"), ""), {
    said: line(false, "谢谢，已经重新配好网了", "Thanks, it is back on Wi-Fi", ago(90_000)),
    visitor_online: false,
    order: { group: 1, key: -ago(90_000) },
  }),
];

const messages: Message[] = [
  example.visitorSays(1, "", {
    at: ago(460),
    author: { kind: "system" },
    content: {
      kind: "notice",
      notice: {
        kind: "welcome",
        text: say(
          "您好，这里是云洁商城，有什么可以帮您？",
          "Hello, this is Yunjie. How can we help?",
        ),
      },
    },
  }),
  example.visitorSays(
    2,
    say(
      "你好，家里厨房有个门槛，X20 Pro 能过去吗？",
      "Hi, my kitchen door has a sill. Can the X20 Pro cross it?",
    ),
    { at: ago(459) },
  ),
  { ...example.joined(3, xiaoyu), at: ago(458) },
  example.agentSays(
    4,
    say("您好，我是晓雨。门槛大约多高呢？", "Hello, I am Xiaoyu. How high is the sill?"),
    xiaoyu,
    { at: ago(441) },
  ),
  example.visitorSays(5, say("量了一下，1.8 厘米左右", "I measured it: about 1.8 cm"), {
    at: ago(330),
  }),
  example.visitorSays(
    6,
    say("中间还有一条压条，有点宽", "There is a wide strip in the middle, too"),
    { at: ago(322) },
  ),
  example.agentSays(
    7,
    say(
      "可以的。X20 Pro 最高能越过 2.2 cm，有压条也没问题。\n如果门槛两边高度不一样，以高的那边为准，不超过 2.2 cm 都可以放心。",
      "Yes. The X20 Pro climbs 2.2 cm, strip included.\nIf the two sides differ, the higher one counts; up to 2.2 cm is fine.",
    ),
    xiaoyu,
    { at: ago(140) },
  ),
  example.agentSays(
    8,
    say("现在下单送一年份的滤网。", "Order today and a year of filters is included."),
    xiaoyu,
    { at: ago(120) },
  ),
  example.visitorSays(9, say("太好了，那地毯会不会被弄湿呀？", "Great. And will my rug get wet?"), {
    at: ago(41),
  }),
];

const outbox: OutboxItem[] = scene.has("unsent")
  ? [
      example.outboxItem("o1", {
        text: say("不会的，识别到地毯会自动抬起拖布。", "It will not: on a rug it lifts its mop."),
        at: ago(30),
        state: { kind: "failed", code: "too_fast" },
      }),
      example.outboxItem("o2", {
        text: say("短毛地毯全程不沾水。", "Short pile stays dry."),
        at: ago(9),
        state: { kind: "queued" },
      }),
    ]
  : [];

const crowd = Number(scene.get("crowd") ?? 0);
const crowdOfRows = Array.from({ length: crowd }, (_, at) =>
  row(
    `crowd${at}`,
    visitor((0x1000 + at * 37).toString(16).toUpperCase(), shop, x20, "p/x20-pro"),
    {
      said: line(
        at % 3 === 0,
        "想问一下发货时间和安装",
        "When is it delivered, and who installs it?",
        ago(at),
      ),
      unread: at % 4 === 1 ? at : 0,
      vip: at % 7 === 0,
      unanswered_since: at % 2 === 1 ? ago(at * 3) : null,
      order: { group: at % 2 === 1 ? 0 : 1, key: ago(at * 3) },
    },
  ),
);

const link = (scene.get("link") ?? "connected") as ConnectionState;
const state: UiState = {
  session:
    scene.get("scene") === "sign-in"
      ? {
          kind: "signed_out",
          form: {
            server: scene.has("filled") ? "http://chat.yunjie.example" : "",
            account: scene.has("filled") ? "xiaoyu" : "",
            password_remembered: false,
            can_remember: true,
          },
          notice: scene.has("filled") ? "ended_by_relay" : null,
        }
      : {
          kind: "signed_in",
          server: "https://chat.yunjie.example",
          own: example.ownCard({
            nickname: xiaoyu.nickname,
            account: "xiaoyu",
            role: (scene.get("role") ?? "agent") as Role,
            availability: scene.has("busy") ? "busy" : "online",
          }),
        },
  connection: example.connection({
    state: link,
    since: ago(12),
    unsent: outbox.length,
  }),
  inbox: scene.get("scene") === "empty" ? [] : [...inbox, ...crowdOfRows],
  colleagues: [...busy.colleagues(say), ...busy.moreColleagues(crowd)],
  company: busy.company(say),
  sites: sites(say),
  invitations: scene.has("asked")
    ? [
        {
          ...example.incoming("i1", {
            conversation_id: "w2",
            note: say("问企业采购，你熟。我这边客户电话进来了。", "Business order, your field."),
            expires_at: ago(-47),
          }),
          visitor: visitor("5D1E", shop, x20, "p/x20-pro"),
          said: line(false, "40 台今天能报价吗？", "A quote for 40 today?", ago(60)),
        },
      ]
    : [],
  alerts:
    scene.get("role") === "manager"
      ? [
          {
            conversation_id: "w1",
            rev: 1,
            what: "no_answer",
            at: ago(100),
            label: "E2B1",
            department_id: "repair",
          },
        ]
      : [],
  queue_length: 4,
  preferences: {
    ...example.preferences,
    locale: zh ? "zh-CN" : "en",
    theme: (scene.get("theme") ?? "light") as Theme,
  },
};

const settingsRelay = manageRelay(say, ago, busy.colleagues(say));

const notes = [
  example.note("n1", 6, {
    agent_id: "agent-2000",
    text: say(
      "上海仓还有 14 台，她若今天下单请走次日达。",
      "Shanghai has 14 left; if she orders today, ship next-day.",
    ),
    at: ago(300),
  }),
  example.note("n2", 9, { agent_id: xiaoyu.id, text: say("好的，谢谢", "Will do"), at: ago(20) }),
];

function statusOf(conversationId: string): ConversationStatus {
  if (scene.has("ended")) return { kind: "ended", by: "visitor", at: ago(5) };
  if (conversationId.startsWith("w")) return { kind: "waiting", reason: "all_full" };
  const watched = scene.get("stand") === "watching" || scene.get("stand") === "member";
  return { kind: "serving", agent_id: watched ? "agent-2000" : xiaoyu.id };
}

const many = Number(scene.get("many") ?? 0);
const history: Message[] = Array.from({ length: many }, (_, index) => {
  const text = `#${index + 1} ${"长短不一的消息，".repeat((index * 7) % 9)}`;
  const at = ago(many * 60 - index * 60 + 3_600);
  return index % 3 === 1
    ? example.agentSays(index + 1, text, xiaoyu, { at })
    : example.visitorSays(index + 1, text, { at });
});
const shown = many > 0 ? history : messages;

const host = new ScriptedHost()
  .on("get_state", () => ({ type: "state", body: state }))
  .on("sign_in", ({ allow_plain_http, server }) => {
    const plain = server.startsWith("http://") && !allow_plain_http;
    throw new HostError({
      kind: plain ? "plain_http" : "refused",
      code: plain ? null : "wrong_credentials",
      retry_after_ms: null,
    });
  })
  .on("open_conversation", ({ conversation_id }) => {
    const found = inbox.find((one) => one.conversation_id === conversation_id);
    return {
      type: "chat",
      body: example.chat({
        conversation_id,
        head: example.chatHead({
          visitor: found?.visitor ?? example.vera,
          status: statusOf(conversation_id),
          standing: (scene.get("stand") ?? "serving") as Standing,
          vip: conversation_id === "c2",
          department_id: "sales",
          members: scene.has("members") ? ["agent-2000"] : [],
          invitations: scene.has("inviting")
            ? [
                example.invitation("i2", {
                  from: xiaoyu.id,
                  to: { kind: "agent", agent_id: "agent-3000" },
                  offered_to: "agent-3000",
                  expires_at: ago(-52),
                  note: say("门槛和地毯的问题都答过了", "Sill and rug are answered"),
                }),
              ]
            : [],
          visitor_online: found?.visitor_online ?? true,
          started_at: ago(459),
          first_response_at: ago(441),
          unanswered_since: found?.unanswered_since ?? null,
          visitor_marks: { delivered: 8, read: 7 },
          own_read: many > 0 ? many : 8,
          preview: found?.preview ?? "",
        }),
        messages: shown.slice(-50),
        notes: scene.has("notes") ? notes : [],
        has_earlier: shown.length > 50,
        outbox: outbox.map((item) => ({ ...item, conversation_id })),
        draft: scene.has("draft")
          ? say(
              "不会的，X20 Pro 识别到地毯会自动抬起拖布 10.5 mm，短毛地毯全程不沾水。",
              "It will not: on a rug the X20 Pro lifts its mop by 10.5 mm, so short pile stays dry.",
            )
          : "",
        agents: [xiaoyu],
      }),
    };
  })
  .on("load_earlier", async ({ before }) => {
    await new Promise((resolve) => setTimeout(resolve, 120));
    const end = before - 1;
    return {
      type: "earlier",
      body: { items: history.slice(Math.max(0, end - 50), end), notes: [], has_earlier: end > 50 },
    };
  })
  .on("watch_floor", () => {
    const frame = () => {
      const floor = atWork(busy.floor(say, ago), ago);
      host.push({ type: "floor", body: crowd > 0 ? busy.crowded(floor, crowd, ago) : floor });
    };
    setTimeout(frame);
    if (crowd > 0) setInterval(frame, 1_000);
    return done;
  })
  .on("call", ({ call }) => ({
    type: "called",
    body: {
      answer:
        settingsRelay(call) ??
        (call.type === "assignments"
          ? { type: "assignments", body: busy.assignments(say, ago) }
          : { type: "contacts", body: { contacts: busy.contacts(say, ago) } }),
    },
  }))
  .on("send_message", ({ conversation_id, text }) => ({
    type: "queued",
    body: {
      item: example.outboxItem(`sent-${Date.now()}`, {
        conversation_id,
        text,
        at: Date.now(),
        state: { kind: link === "connected" ? "sending" : "queued" },
      }),
    },
  }))
  .on("retry_send", () => done);

installHost(host);
Object.assign(window, { look: host, example, shown });
const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
start();
host.setLink("up");

async function click(ids: string[]) {
  for (const id of ids) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    const found = document.querySelectorAll<HTMLElement>(`[data-testid="${id.split(":")[0]}"]`);
    found[Number(id.split(":")[1] ?? 0)]?.click();
  }
  if (scene.has("companions")) {
    host.push({
      type: "colleagues",
      body: {
        conversation_id: "c2",
        reading: ["agent-2000", "agent-3000"],
        typing: ["agent-2000"],
      },
    });
  }
}
void click((scene.get("click") ?? "").split(",").filter(Boolean));
