// @vitest-environment jsdom
// Every state a visitor can be in (A15), from the first choice to a message left: what stands on the
// screen, in whose words, and what goes to the relay.

import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { conversationOf, PROMPTS, SITE } from "../../testing/fixtures";
import {
  ANA,
  find,
  happen,
  messageOf,
  open,
  pass,
  press,
  reload,
  SNAPSHOT,
  setUp,
  states,
  type,
  Wire,
  welcome,
} from "../../testing/window";
import type {
  EndedBy,
  SystemNotice,
  VisitorMessage,
  VisitorPrompts,
  VisitorSite,
  WaitingReason,
} from "./protocol";

setUp();

const BEN = { id: "ben", nickname: "Ben" };
const me = { kind: "me" } as const;
const text = (words: string) => ({ kind: "text", text: words }) as const;
const line = (seq: number, notice: SystemNotice): VisitorMessage =>
  messageOf("c1", seq, { author: { kind: "system" }, content: { kind: "notice", notice } });
const FIRST = messageOf("c1", 1, { author: me, content: text("拖布不出水") });

const has = (testid: string) => document.querySelector(`[data-testid="${testid}"]`) !== null;
const click = (testid: string) => act(() => find(testid).click());
const kinds = () =>
  [...document.querySelectorAll<HTMLElement>('[data-testid="notice"]')].map(
    ({ dataset }) => dataset.kind,
  );
const systems = () => [...document.querySelectorAll(".system")].map((row) => row.textContent);

async function write(testid: string, value: string): Promise<void> {
  const field = find<HTMLInputElement>(testid);
  await act(() => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Vera waits, having asked once. */
async function waiting(reason: WaitingReason, site: Partial<VisitorSite> = {}): Promise<void> {
  const conversation = conversationOf("c1", { kind: "waiting", reason }, 1);
  const held = { ...SNAPSHOT, site: { ...SITE, ...site }, conversation, messages: [FIRST] };
  await Wire.last.tell(welcome(held));
}

function stand(place: number, expected_wait_ms: number | null, conversation_id = "c1") {
  const signal = { kind: "place", conversation_id, place, expected_wait_ms } as const;
  return Wire.last.tell({ type: "signal", signal });
}

const status = (status_now: object) => ({
  type: "status_changed",
  conversation_id: "c1",
  status: status_now,
});
const ended = (by: EndedBy) => status({ kind: "ended", by, at: Date.now() });
const own = (words: Partial<VisitorPrompts>) => ({ prompts: { ...PROMPTS, ...words } });

test("the line shows place and wait, live, and can be left", async () => {
  await open();
  await waiting("all_full");
  expect(find("status").textContent).toContain("排队");
  await stand(3, 170_000);
  const card = find("notice");
  expect(card.dataset).toMatchObject({ kind: "all_full", place: "3", wait: "170000" });
  expect(card.textContent).toContain("前面还有 2 位");
  expect(card.textContent).toContain("预计等待：约 3 分钟");
  expect(find("status").textContent).toBe("排队第 3 位，约 3 分钟");
  await stand(1, null);
  expect(find("notice")).toBe(card);
  expect(card.textContent).toContain("下一位就是您");
  await stand(9, 1, "other");
  expect(find("status").textContent).not.toContain("9");
  await click("leave-queue");
  expect(Wire.last.of("leave_queue")).toEqual([]);
  await click("leave-queue");
  const [asked] = Wire.last.of("leave_queue");
  expect(asked?.body).toEqual({});
  // An agent was faster: nothing is wrong, and it shows by itself.
  const error = { code: "overtaken" } as const;
  await Wire.last.tell({ type: "reply", id: asked?.id ?? "", error });
  expect(kinds()).toEqual(["all_full"]);
  await happen(status({ kind: "serving", agent: ANA }));
  expect(kinds()).toEqual([]);
});

test("the company's words say the place; without one the widget's own do", async () => {
  await open();
  await waiting("all_full", own({ queued: "您是第 {place} 位，要 {wait}。{agent}很忙" }));
  expect(find("notice").textContent).toContain("已为您排队");
  await stand(2, 61_000);
  expect(find("notice").textContent).toContain("您是第 2 位，要 2 分钟。客服很忙");
  await stand(2, null);
  expect(find("notice").textContent).toContain("要 片刻");
});

test("nobody there: the form comes at once around what is being typed", async () => {
  await open();
  await waiting("routing");
  await type("水箱是满");
  const field = find<HTMLTextAreaElement>("composer");
  field.focus();
  await happen(status({ kind: "waiting", reason: "nobody_online" }));
  expect(find("leave-form").textContent).toContain("客服暂时不在");
  // A place in a line that nobody works off says nothing.
  await stand(1, null);
  expect(find("status").textContent).toContain("客服暂时不在");
  // The very same field: cursor and composition stay.
  expect(find("composer")).toBe(field);
  expect(document.activeElement).toBe(field);
  await type("水箱是满的");
  await press({});
  expect(Wire.last.of("leave_message")).toEqual([]);
  await write("leave-name", " Vera ");
  await write("leave-contact", "13912345678");
  await click("leave-submit");
  const [left] = Wire.last.of("leave_message");
  expect(left?.body).toEqual({
    name: "Vera",
    contact: "13912345678",
    text: "水箱是满的",
    page: { url: "https://shop.example/x20", title: "X20" },
    locale: "zh-CN",
  });
  expect(has("leave-form")).toBe(false);
  expect(find<HTMLTextAreaElement>("composer").value).toBe("");
  expect(states()).toEqual(["sent", "sending"]);
  await Wire.last.tell({ type: "reply", id: left?.id ?? "", ok: { kind: "done" } });
  const client_id = left?.id ?? "";
  const message = messageOf("c1", 2, { author: me, content: text("水箱是满的"), client_id });
  await happen(
    { type: "message_appended", message },
    { type: "message_appended", message: line(3, { kind: "ended", by: "leave_message" }) },
    ended("leave_message"),
  );
  expect(states()).toEqual(["sent", "sent", "stored"]);
  expect(find("notice").textContent).toContain("留言已收到");
  expect(find("status").textContent).toBe("已转为留言");
});

test("back to the chat with the text; a submitted form needs no more than what was said", async () => {
  await open();
  await waiting("closed", own({ closed: "九点上班" }));
  expect(find("leave-form").textContent).toContain("九点上班");
  await type("还有一事");
  await click("leave-back");
  expect(has("leave-form")).toBe(false);
  expect(find("notice").dataset.kind).toBe("out_of_hours");
  await press({});
  expect(Wire.last.of("send_message")).toHaveLength(1);
  await click("leave-open");
  await click("leave-submit");
  // Nothing added: what was said and not answered is left.
  await Wire.last.tell({
    type: "reply",
    id: Wire.last.of("send_message")[0]?.id ?? "",
    ok: { kind: "accepted", conversation_id: "c1", seq: 2, at: Date.now() },
  });
  expect(Wire.last.of("leave_message")[0]?.body).toMatchObject({ text: "拖布不出水", contact: "" });
});

test("the form outlives a reload, and what was left without a link goes once", async () => {
  await open();
  await waiting("all_full");
  await click("leave-instead");
  await write("leave-name", "Vera");
  await type("明天上门吗");
  await reload();
  await waiting("all_full");
  expect(find<HTMLInputElement>("leave-name").value).toBe("Vera");
  expect(find<HTMLTextAreaElement>("composer").value).toBe("明天上门吗");
  await act(() => Wire.last.onclose?.());
  await write("leave-contact", "vera@example.com");
  await click("leave-submit");
  expect(states().at(-1)).toBe("queued");
  const id = document.querySelector<HTMLElement>(".unsent")?.dataset.clientId;
  await reload();
  expect(states()).toEqual(["queued"]);
  await waiting("nobody_online");
  // It is on its way: the form does not ask again.
  expect(has("leave-form")).toBe(false);
  const sent = Wire.last.of("leave_message");
  expect(sent.map((command) => [command.id, command.body.contact])).toEqual([
    [id, "vera@example.com"],
  ]);
});

test("an agent came first: what was to be left is said", async () => {
  await open();
  await waiting("nobody_online");
  await type("能修吗");
  await click("leave-submit");
  const [left] = Wire.last.of("leave_message");
  const error = { code: "overtaken" } as const;
  await Wire.last.tell({ type: "reply", id: left?.id ?? "", error });
  const [said] = Wire.last.of("send_message");
  expect(said?.body.text).toBe("能修吗");
  expect(said?.id).toBe(left?.id);
  expect(states()).toEqual(["sent", "sending"]);
});

test("an agent comes while the form is open: the text stays, as a message to be", async () => {
  await open();
  await waiting("nobody_online");
  await type("快修好了");
  await happen(status({ kind: "serving", agent: ANA }));
  expect(has("leave-form")).toBe(false);
  expect(find<HTMLTextAreaElement>("composer").value).toBe("快修好了");
  expect(Wire.last.of("preview").at(-1)?.body).toEqual({ text: "快修好了" });
  // Gone again, beyond the grace period.
  await happen(status({ kind: "waiting", reason: "nobody_online" }));
  expect(has("leave-form")).toBe(true);
});

test("the company's patience ends while the form is filled in: it stays open, nothing is lost", async () => {
  await open();
  await waiting("nobody_online");
  await write("leave-contact", "139");
  find("leave-contact").focus();
  const notice = line(2, { kind: "ended", by: "leave_message" });
  await happen({ type: "message_appended", message: notice }, ended("leave_message"));
  expect(document.activeElement).toBe(find("leave-contact"));
  await click("leave-submit");
  const body = { text: "拖布不出水", contact: "139" };
  expect(Wire.last.of("leave_message")[0]?.body).toMatchObject(body);
  expect(has("leave-form")).toBe(false);
});

test("a message can be left before anything was said", async () => {
  await open();
  await Wire.last.tell(welcome());
  await click("menu");
  await click("menu-leave");
  expect(find<HTMLButtonElement>("leave-submit").disabled).toBe(true);
  await type("请回电");
  await click("leave-submit");
  expect(Wire.last.of("leave_message")[0]?.body.text).toBe("请回电");
});

test("what another tab leaves is seen here, and its form is not asked for twice", async () => {
  const client = await open();
  await waiting("nobody_online");
  const item = {
    ...{ client_id: "k1", text: "另一页留的", at: Date.now(), order: 1, tab: "other" },
    ...{ visitor: "vera", page: { url: "", title: "" }, locale: "zh-CN", tries: 0, not_before: 0 },
    ...{ leave: { name: "", contact: "1" }, asks: client.state.asks, state: { kind: "queued" } },
    ...{ held_by: null, has_arrived: false },
  };
  const init = {
    key: "yingke:s:out:k1",
    newValue: JSON.stringify(item),
    storageArea: localStorage,
  };
  await act(() => {
    window.dispatchEvent(new StorageEvent("storage", init));
  });
  expect(states()).toEqual(["sent", "queued"]);
  expect(has("leave-form")).toBe(false);
  const message = messageOf("c1", 2, { author: me, content: text("另一页留的"), client_id: "k1" });
  await happen({ type: "message_appended", message }, ended("leave_message"));
  expect(find("notice").textContent).toContain("留言已收到");
});

test("a category is picked before anything goes; the rest may be left open", async () => {
  await open();
  const departments = [{ id: "default", name: "" }];
  const site = { ...SITE, categories: ["售前", "售后"], departments, agents: [ANA, BEN] };
  await Wire.last.tell(welcome({ ...SNAPSHOT, site }));
  await type("在吗");
  await press({});
  expect(Wire.last.sent.map((command) => command.type)).toEqual(["hello"]);
  expect(find<HTMLTextAreaElement>("composer").value).toBe("在吗");
  const options = [...document.querySelectorAll<HTMLElement>("[data-value]")];
  expect(options.map((option) => option.textContent)).toEqual([
    ...["售前", "售后", "客服", "Ana", "Ben"],
  ]);
  await act(() => options[1]?.click());
  await act(() => options[4]?.click());
  expect(options.map((option) => option.getAttribute("aria-pressed"))).toEqual([
    ...["false", "true", "false", "false", "true"],
  ]);
  await press({});
  const [sent] = Wire.last.of("send_message");
  expect(sent?.body.asks).toEqual({ category: "售后", department_id: null, agent_id: "ben" });
  expect(has("choices")).toBe(false);
});

test("what was written before the link was there waits for its category", async () => {
  await open();
  await type("在吗");
  await press({});
  const site = { ...SITE, categories: ["售前"] };
  await Wire.last.tell(welcome({ ...SNAPSHOT, site }));
  expect(Wire.last.of("send_message")).toEqual([]);
  expect(states()).toEqual(["queued"]);
  await pass(60_000);
  expect(Wire.last.of("send_message")).toEqual([]);
  await reload();
  await Wire.last.tell(welcome({ ...SNAPSHOT, site }));
  await click("pick-category-option");
  expect(Wire.last.of("send_message")[0]?.body.asks).toMatchObject({ category: "售前" });
});

const ENDS: [EndedBy, string, Partial<VisitorPrompts>, string, string][] = [
  ["visitor", "您结束了会话", {}, "您结束了会话", "ended"],
  ["agent", "客服结束了会话", { agent_ended: "{agent}再见" }, "Ana再见", "ended"],
  ["visitor_silent", "很久没有收到", { timed_out: "超时了" }, "超时了", "ended"],
  ["agent_away", "客服离开了", { agent_away: "请重新申请" }, "请重新申请", "agent_away"],
  ["left_queue", "您离开了队列", {}, "您离开了队列", "ended"],
  ["leave_message", "已转为留言", { message_left: "收好了" }, "收好了", "message_left"],
];

test.each(ENDS)("ended by %s is said in own words and in the company's", async (...row) => {
  const [by, words, prompts, company, kind] = row;
  for (const [site, said] of [
    [{}, words],
    [own(prompts), company],
  ] as const) {
    await reload();
    await waiting("routing", site);
    await happen(
      { type: "message_appended", message: line(2, { kind: "agent_joined", agent: ANA }) },
      { type: "message_appended", message: line(3, { kind: "ended", by }) },
      ended(by),
    );
    expect(find("notice").dataset.kind).toBe(kind);
    expect(document.querySelector(".log")?.textContent).toContain(said);
    expect(has("leave-form")).toBe(false);
  }
});

test("who was turned away may ask again or leave a message; a filed one may add a contact", async () => {
  await open();
  await waiting("routing");
  await happen(ended("agent_away"));
  await click("write-again");
  expect(document.activeElement).toBe(find("composer"));
  await click("leave-open");
  expect(has("leave-form")).toBe(true);
  await click("leave-back");
  // The company's patience ended it, not a form.
  const patience = { kind: "ended", by: "leave_message", at: Date.now() } as const;
  const conversation = { ...conversationOf("c2", patience), rev: 90 };
  await happen({ type: "conversation_started", conversation });
  expect(find("notice").textContent).toContain("已转为留言");
  await click("leave-open");
  expect(has("leave-form")).toBe(true);
});

test("a third person: names in the head and on the bubbles, every coming and going a line", async () => {
  await open();
  await waiting("routing");
  const says = (seq: number, agent: typeof ANA, words: string) =>
    messageOf("c1", seq, { author: { kind: "agent", agent }, content: text(words) });
  await happen(
    status({ kind: "serving", agent: ANA }),
    { type: "message_appended", message: line(2, { kind: "agent_joined", agent: ANA }) },
    { type: "message_appended", message: says(3, ANA, "您好") },
    { type: "members_changed", conversation_id: "c1", members: [BEN] },
    { type: "message_appended", message: line(4, { kind: "member_joined", agent: BEN }) },
    { type: "message_appended", message: says(5, BEN, "我来看看") },
  );
  expect(find("agents").textContent).toBe("Ana和Ben");
  const names = [...document.querySelectorAll(".bubble .name")].map((name) => name.textContent);
  expect(names).toEqual(["Ana", "Ben"]);
  await Wire.last.tell({
    type: "signal",
    signal: { kind: "agent_typing", conversation_id: "c1" },
  });
  expect(find("typing").textContent).toContain("客服正在输入");
  await happen(
    { type: "agent_changed", agent: { id: "ben", nickname: "本" } },
    status({ kind: "serving", agent: { id: "ben", nickname: "本" } }),
    { type: "members_changed", conversation_id: "c1", members: [] },
    { type: "message_appended", message: line(6, { kind: "transferred", agent: BEN }) },
    { type: "message_appended", message: line(7, { kind: "member_left", agent: ANA }) },
    { type: "message_appended", message: line(8, { kind: "requeued", why: "no_answer" }) },
    { type: "message_appended", message: line(9, { kind: "requeued", why: "agent_lost" }) },
  );
  expect(find("agents").textContent).toBe("本");
  expect(systems().slice(1)).toEqual([
    "Ana 为您服务",
    "Ben 加入了会话",
    "Ben 接替为您服务",
    "Ana 离开了会话",
    "让您久等了，您已排到最前面，正在安排其他客服",
    "客服离开了，您已排到最前面",
  ]);
});

test("what the relay says by itself is told apart, in words set or its own", async () => {
  await open();
  await waiting("routing");
  const auto = (seq: number, reply: string, words: string) => ({
    type: "message_appended",
    message: line(seq, { kind: "auto_reply", reply, text: words } as SystemNotice),
  });
  await happen(
    auto(2, "ask_visitor", ""),
    auto(3, "warn_visitor", "请说句话"),
    auto(4, "explain_delay", " "),
    auto(5, "sing", ""),
  );
  const shown = [...document.querySelectorAll(".auto")].map((row) => row.textContent);
  expect(shown).toEqual([
    expect.stringContaining("您还在吗"),
    "自动回复请说句话",
    expect.stringContaining("让您久等了"),
  ]);
  // One that only a newer widget knows keeps its place.
  expect(document.querySelectorAll("[data-seq]")).toHaveLength(5);
});

test("a lost link is spoken of in the company's words once it lasts", async () => {
  await open();
  await waiting("routing", own({ waiting: "正在找人", reconnecting: "重新连接", offline: "离线" }));
  expect(kinds()).toEqual([]);
  await pass(1_500);
  expect(kinds()).toEqual(["routing"]);
  await stand(4, null);
  expect(kinds()).toEqual(["all_full"]);
  await stand(4, null, "other");
  vi.stubGlobal("WebSocket", class extends Wire {});
  await act(() => Wire.last.onclose?.());
  expect(kinds()).toEqual(["routing"]);
  await pass(1_600);
  expect(kinds()).toEqual(["routing", "reconnecting"]);
});
