// @vitest-environment jsdom
// The window with a socket written by hand: what a visitor does and what then stands on the screen
// and in the storage.

import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import {
  ANA,
  find,
  onClose,
  open,
  pass,
  press,
  SNAPSHOT,
  setUp,
  states,
  type,
  Wire,
  welcome,
} from "../../testing/window";
import type { HistoryPage, VisitorSnapshot } from "./protocol";
import { SiteStorage } from "./storage";

setUp();

test("an own message is on the screen at once, then stored, then read", async () => {
  await open();
  await Wire.last.tell(welcome());
  expect(find("welcome").textContent).toContain("您好 <b>Vera</b>");
  expect(document.querySelector("b")).toBeNull();
  await type("能过门槛吗？");
  await press({});
  expect(states()).toEqual(["sending"]);
  expect(find<HTMLTextAreaElement>("composer").value).toBe("");
  const [command] = Wire.last.of("send_message");
  expect(command?.body).toMatchObject({ text: "能过门槛吗？", locale: "zh-CN" });
  const id = command?.id ?? "";
  const status = { kind: "serving", agent: ANA } as const;
  const marks = { delivered: 0, read: 0 };
  const conversation = {
    id: "c1",
    rev: 8,
    status,
    agent_marks: marks,
    own_marks: marks,
    last_seq: 0,
    members: [],
  };
  const message = {
    conversation_id: "c1",
    seq: 1,
    client_id: id,
    author: { kind: "me" },
    content: { kind: "text", text: "能过门槛吗？" },
    at: Date.now(),
  } as const;
  await Wire.last.tell({
    type: "delivery",
    after: 7,
    upto: 9,
    events: [
      { position: 8, type: "conversation_started", conversation },
      { position: 9, type: "message_appended", message },
    ],
  });
  expect(states()).toEqual(["sent"]);
  expect(find("status").textContent).toBe("在线 · 正在为您服务");
  const read = { delivered: 1, read: 1 };
  const event = { position: 10, type: "agent_marked", conversation_id: "c1", marks: read } as const;
  await Wire.last.tell({ type: "delivery", after: 9, upto: 10, events: [event] });
  expect(states()).toEqual(["read"]);
  const signal = { kind: "agent_typing", conversation_id: "c1" } as const;
  await Wire.last.tell({ type: "signal", signal });
  expect(find("typing").textContent).toContain("Ana正在输入");
  await type("卡号 6222021234567890");
  expect(Wire.last.of("preview").at(-1)?.body).toEqual({ text: "卡号 622202**********" });
});

test("an input method's Enter writes nothing, Shift+Enter neither", async () => {
  await open();
  await Wire.last.tell(welcome());
  await type("nihao");
  await press({ isComposing: true });
  await press({ keyCode: 229 });
  await press({ shiftKey: true });
  expect(states()).toEqual([]);
  await press({});
  expect(states()).toEqual(["sending"]);
});

test("a refused message stays, says why, and comes back into the composer", async () => {
  await open();
  await Wire.last.tell(welcome());
  await type("第一句");
  await press({});
  const [command] = Wire.last.of("send_message");
  const error = { code: "site_disabled" } as const;
  await Wire.last.tell({ type: "reply", id: command?.id ?? "", error });
  expect(states()).toEqual(["failed"]);
  expect(document.body.textContent).toContain("在线客服已关闭");
  await type("第二句");
  await act(() => find("edit").click());
  expect(states()).toEqual([]);
  expect(find<HTMLTextAreaElement>("composer").value).toBe("第一句\n第二句");
});

test("what was written without a link survives the page and goes under the same id", async () => {
  await open();
  await Wire.last.tell(welcome());
  await act(() => Wire.last.onclose?.());
  await type("断线时写的");
  await press({});
  expect(states()).toEqual(["queued"]);
  const id = document.querySelector<HTMLElement>('[data-testid="message"]')?.dataset.clientId;
  await act(() => render(null, document.body));
  Reflect.deleteProperty(Wire, "last");
  await open();
  expect(states()).toEqual(["queued"]);
  const wire = Wire.last;
  await wire.tell(welcome());
  expect(wire.of("send_message").map((command) => command.id)).toEqual([id]);
});

test("an input method's Esc closes nothing", async () => {
  await open();
  await Wire.last.tell(welcome());
  await type("nihao");
  await press({ key: "Escape", isComposing: true });
  await press({ key: "Escape", keyCode: 229 });
  const ended = new CompositionEvent("compositionend", { bubbles: true });
  await act(() => {
    find("composer").dispatchEvent(ended);
  });
  // Safari and WebKitGTK: an ordinary Esc right after the end of the composition.
  await press({ key: "Escape" });
  expect(onClose).not.toHaveBeenCalled();
});

test("what the relay says meanwhile moves no focus in the menu", async () => {
  await open();
  await Wire.last.tell(welcome());
  await act(() => find("menu").click());
  expect(document.activeElement).toBe(find("menu-language"));
  find("menu-sound").focus();
  await Wire.last.tell({ type: "delivery", after: 7, upto: 8, events: [] });
  expect(document.activeElement).toBe(find("menu-sound"));
  await act(() => {
    document.dispatchEvent(new Event("pointerdown"));
  });
  expect(document.querySelector(".menu")).toBeNull();
});

test("blocked storage is said, and Esc closes", async () => {
  const client = await open(new SiteStorage("s", null));
  await Wire.last.tell(welcome());
  expect(client.state.is_durable).toBe(false);
  expect(find("notice").dataset.kind).toBe("not_durable");
  await press({ key: "Escape" });
  expect(onClose).toHaveBeenCalledOnce();
});

test("an agent's other name stands everywhere at once, also on pages loaded before", async () => {
  await open();
  const said = (conversation_id: string, seq: number) => ({
    conversation_id,
    seq,
    client_id: `${conversation_id}m${seq}`,
    author: { kind: "agent", agent: ANA } as const,
    content: { kind: "text", text: "您好" } as const,
    at: Date.now(),
  });
  const marks = { delivered: 0, read: 0 };
  const status = { kind: "serving", agent: ANA } as const;
  const conversation = {
    id: "c2",
    rev: 1,
    status,
    agent_marks: marks,
    own_marks: marks,
    members: [],
  };
  const held = { ...SNAPSHOT, conversation: { ...conversation, last_seq: 1 }, has_earlier: true };
  await Wire.last.tell(welcome({ ...held, messages: [said("c2", 1)] }));
  await act(() => find("earlier").click());
  const [asked] = Wire.last.of("load_history");
  const page = { messages: [said("c1", 1)], has_earlier: false };
  await Wire.last.tell({ type: "reply", id: asked?.id ?? "", ok: { kind: "history", page } });
  const agent = { id: "ana", nickname: "安娜" };
  const event = { position: 8, type: "agent_changed", agent } as const;
  await Wire.last.tell({ type: "delivery", after: 7, upto: 8, events: [event] });
  expect(document.body.textContent).not.toContain("Ana");
  expect(document.querySelector("h1")?.textContent).toContain("安娜");
  expect(document.querySelectorAll("[data-seq]")).toHaveLength(2);
});

test("a site switched off and on shows at once, and what is written stays", async () => {
  await open();
  await Wire.last.tell(welcome());
  await type("还在吗");
  const change = (position: number, enabled: boolean) => {
    const site = { ...SNAPSHOT.site, welcome: "欢迎", enabled };
    const event = { position, type: "site_changed", site } as const;
    return Wire.last.tell({
      type: "delivery",
      after: position - 1,
      upto: position,
      events: [event],
    });
  };
  await change(8, false);
  expect(find("notice").dataset.kind).toBe("closed");
  expect(find<HTMLButtonElement>("send").disabled).toBe(true);
  expect(document.querySelector('[data-testid="preview-notice"]')).toBeNull();
  expect(document.querySelector('[data-testid="welcome"]')).toBeNull();
  await press({});
  expect(Wire.last.of("send_message")).toEqual([]);
  await change(9, true);
  expect(document.querySelector('[data-testid="notice"]')).toBeNull();
  expect(find("welcome").textContent).toContain("欢迎");
  expect(find<HTMLTextAreaElement>("composer").value).toBe("还在吗");
  await press({});
  expect(Wire.last.of("send_message")).toHaveLength(1);
});

test("what a newer relay says in words not known here breaks nothing", async () => {
  await open();
  const at = Date.now();
  const said = (seq: number, content: unknown) => ({
    conversation_id: "c1",
    seq,
    client_id: `m${seq}`,
    author: { kind: "system" },
    content,
    at,
  });
  const marks = { delivered: 0, read: 0 };
  const newer: unknown = {
    ...SNAPSHOT,
    conversation: {
      id: "c1",
      rev: 1,
      status: { kind: "waiting", reason: "full_moon" },
      agent_marks: marks,
      own_marks: marks,
      last_seq: 4,
      members: [],
    },
    messages: [
      said(1, { kind: "notice", notice: { kind: "ended", by: "relay" } }),
      said(2, { kind: "notice", notice: { kind: "raining" } }),
      said(3, { kind: "sticker", file: "x" }),
      said(4, { kind: "text", text: "四" }),
    ],
  };
  await Wire.last.tell(welcome(newer as VisitorSnapshot));
  expect([...document.querySelectorAll("[data-seq]")].map((row) => row.textContent)).toEqual([
    "会话已结束",
    "",
    "这条消息暂时无法显示",
    expect.stringContaining("四"),
  ]);
  expect(find("status").textContent).not.toBe("");
});

test("one message of a page that is not known here keeps no other out", async () => {
  await open();
  const marks = { delivered: 0, read: 0 };
  const status = { kind: "ended", by: "visitor", at: 1 } as const;
  const conversation = {
    id: "c2",
    rev: 1,
    status,
    agent_marks: marks,
    own_marks: marks,
    members: [],
  };
  const said = (conversation_id: string, seq: number, content: unknown) => ({
    ...{ conversation_id, seq, client_id: `${conversation_id}m${seq}` },
    ...{ author: { kind: "me" }, content, at: Date.now() },
  });
  const text = (words: string) => ({ kind: "text", text: words });
  const held: unknown = {
    ...SNAPSHOT,
    conversation: { ...conversation, last_seq: 1 },
    messages: [said("c2", 1, text("五"))],
    has_earlier: true,
  };
  await Wire.last.tell(welcome(held as VisitorSnapshot));
  await act(() => find("earlier").click());
  const messages: unknown = [
    said("c1", 1, text("一")),
    said("c1", 2, { kind: "sticker", file: "x" }),
    { ...said("c1", 3, text("三")), author: { kind: "robot", name: "R2" } },
  ];
  const page = { messages, has_earlier: false } as HistoryPage;
  const id = Wire.last.of("load_history")[0]?.id ?? "";
  await Wire.last.tell({ type: "reply", id, ok: { kind: "history", page } });
  const shown = [...document.querySelectorAll("[data-seq]")].map((row) => row.textContent);
  const words = ["一", "无法显示", "三", "五"];
  expect(shown).toEqual(words.map((each) => expect.stringContaining(each)));
});

test("an agent's message is read when the window has the focus, not before", async () => {
  const has_focus = vi.spyOn(document, "hasFocus").mockReturnValue(false);
  const client = await open();
  const marks = { delivered: 0, read: 0 };
  const status = { kind: "serving", agent: ANA } as const;
  const message = {
    conversation_id: "c1",
    seq: 1,
    client_id: "m1",
    author: { kind: "agent", agent: ANA },
    content: { kind: "text", text: "您好" },
    at: Date.now(),
  } as const;
  const conversation = {
    id: "c1",
    rev: 1,
    status,
    agent_marks: marks,
    own_marks: marks,
    members: [],
  };
  const snapshot = { ...SNAPSHOT, conversation: { ...conversation, last_seq: 1 } };
  await Wire.last.tell(welcome({ ...snapshot, messages: [message] }));
  const told = () => Wire.last.of("mark").map(({ body }) => body);
  expect(told()).toEqual([{ conversation_id: "c1", delivered: 1, read: 0 }]);
  expect(client.state.unread).toBe(1);
  has_focus.mockReturnValue(true);
  await act(() => {
    window.dispatchEvent(new Event("focus"));
  });
  expect(client.state.unread).toBe(0);
  await pass(1_000);
  expect(told().at(-1)).toEqual({ conversation_id: "c1", delivered: 1, read: 1 });
});

test("what comes in above a message that does not go is read as well", async () => {
  vi.spyOn(document, "hasFocus").mockReturnValue(true);
  const client = await open();
  const marks = { delivered: 0, read: 0 };
  const status = { kind: "serving", agent: ANA } as const;
  const conversation = {
    id: "c1",
    rev: 1,
    status,
    agent_marks: marks,
    own_marks: marks,
    members: [],
  };
  await Wire.last.tell(welcome({ ...SNAPSHOT, conversation: { ...conversation, last_seq: 0 } }));
  await type("不会走");
  await press({});
  const id = Wire.last.of("send_message")[0]?.id ?? "";
  await Wire.last.tell({ type: "reply", id, error: { code: "too_large" } });
  const message = {
    conversation_id: "c1",
    seq: 1,
    client_id: "m1",
    author: { kind: "agent", agent: ANA },
    content: { kind: "text", text: "您好" },
    at: Date.now(),
  } as const;
  const event = { position: 8, type: "message_appended", message } as const;
  await Wire.last.tell({ type: "delivery", after: 7, upto: 8, events: [event] });
  expect(states()).toEqual(["stored", "failed"]);
  expect(client.state.unread).toBe(0);
});

test("the seconds of a lost link are seen, not read out one by one", async () => {
  await open();
  await Wire.last.tell(welcome());
  await act(() => Wire.last.onclose?.());
  const spoken = () => {
    const said = find("status").cloneNode(true) as HTMLElement;
    for (const silent of said.querySelectorAll("[aria-hidden]")) silent.remove();
    return said.textContent;
  };
  const before = spoken();
  expect(find("status").textContent).toContain("0 秒");
  await pass(3_000);
  expect(find("status").textContent).toContain("3 秒");
  expect(spoken()).toBe(before);
});
