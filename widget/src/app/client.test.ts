// @vitest-environment jsdom
// The shell around the machines, without a screen: how it becomes a visitor again when the relay no
// longer takes its token, which clock it waits by, and when opening it begins a conversation. Time, network and socket are written by
// hand.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { conversationOf, SITE } from "../../testing/fixtures";
import { ChatClient } from "./client";
import type { VisitorFrame, VisitorSnapshot } from "./protocol";
import { SiteStorage } from "./storage";

/** The relay's end of a socket. */
class Wire {
  static all: Wire[] = [];
  static readonly OPEN = 1;
  readyState = 1;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly sent: { id: string; type: string; body: { token?: string } }[] = [];
  constructor() {
    Wire.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  tell(frame: VisitorFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  get token(): string | undefined {
    return this.sent.find((command) => command.type === "hello")?.body.token;
  }
}

const SNAPSHOT: VisitorSnapshot = {
  visitor: { id: "vera" },
  site: SITE,
  conversation: null,
  messages: [],
  has_earlier: false,
};

const REFUSED: VisitorFrame = { type: "bye", error: { code: "unauthenticated" } };

function client(storage: SiteStorage): ChatClient {
  return new ChatClient({
    site: "s",
    storage,
    tickets: { keeps: false, has: false, ask: () => Promise.resolve(""), give: () => {} },
    page: () => ({ url: "", title: "" }),
    locale: () => "en",
    onAgentMessage: () => {},
  });
}

beforeEach(() => {
  Wire.all = [];
  localStorage.clear();
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Wire);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a refused token is never offered again, however often the door fails", async () => {
  const door = vi.fn<() => Promise<Response>>();
  for (let failures = 0; failures < 3; failures += 1) door.mockRejectedValueOnce(new Error());
  door.mockResolvedValueOnce(Response.json({ visitor_id: "vera", token: "new" }));
  vi.stubGlobal("fetch", door);
  const storage = new SiteStorage("s", localStorage);
  storage.set("token", "dead");
  client(storage).start();
  await vi.advanceTimersByTimeAsync(0);
  Wire.all[0]?.onopen?.();
  expect(Wire.all[0]?.token).toBe("dead");
  Wire.all[0]?.tell(REFUSED);
  for (let pause = 0; pause < 3; pause += 1) await vi.advanceTimersToNextTimerAsync();
  expect(door).toHaveBeenCalledTimes(4);
  expect(Wire.all).toHaveLength(2);
  Wire.all.at(-1)?.onopen?.();
  expect(Wire.all.at(-1)?.token).toBe("new");
  expect(storage.get("token")).toBe("new");
});

test("a message goes again in a moment, also when the clock was set back meanwhile", async () => {
  const storage = new SiteStorage("s", localStorage);
  storage.set("token", "good");
  const chat = client(storage);
  chat.start();
  await vi.advanceTimersByTimeAsync(0);
  const [wire] = Wire.all;
  wire?.onopen?.();
  const start = { mode: "snapshot", position: 7, snapshot: SNAPSHOT } as const;
  wire?.tell({ type: "welcome", version: 1, epoch: "e1", now: Date.now(), start });
  chat.write("在吗");
  const sent = () => wire?.sent.filter((command) => command.type === "send_message") ?? [];
  expect(sent()).toHaveLength(1);
  const id = chat.state.outbox[0]?.client_id ?? "";
  wire?.tell({ type: "reply", id, error: { code: "busy" } });
  vi.setSystemTime(Date.now() - 5 * 3_600_000);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sent()).toHaveLength(2);
});

test("b14 a conversation begins once an opening, where the site says so", async () => {
  const storage = new SiteStorage("s", localStorage);
  storage.set("token", "good");
  const chat = client(storage);
  const begun = (n = 0) =>
    Wire.all[n]?.sent.filter((command) => command.type === "begin_conversation") ?? [];
  const connected = (n: number) => {
    const snapshot = { ...SNAPSHOT, site: { ...SNAPSHOT.site, begins_on_open: true } };
    const start = { mode: "snapshot", position: 7, snapshot } as const;
    Wire.all[n]?.onopen?.();
    Wire.all[n]?.tell({ type: "welcome", version: 1, epoch: "e1", now: Date.now(), start });
  };
  chat.start();
  await vi.advanceTimersByTimeAsync(0);
  // Connected because of an earlier conversation, the panel shut.
  connected(0);
  expect(begun()).toHaveLength(0);
  chat.show(true);
  expect(begun()).toHaveLength(1);
  expect(begun()[0]?.body).toHaveProperty("locale");
  chat.type("你");
  expect(begun()).toHaveLength(1);
  // Another link is no opening.
  Wire.all[0]?.onclose?.();
  await vi.advanceTimersByTimeAsync(5_000);
  connected(1);
  expect(begun(1)).toHaveLength(0);
  // Shut and opened again; an open conversation needs none.
  chat.show(false);
  chat.show(true);
  expect(begun(1)).toHaveLength(1);
  Wire.all[1]?.tell({ type: "reply", id: begun(1)[0]?.id ?? "", ok: { kind: "done" } });
  const conversation = conversationOf("c1", { kind: "waiting", reason: "routing" });
  const event = { position: 8, type: "conversation_started", conversation } as const;
  Wire.all[1]?.tell({ type: "delivery", after: 7, upto: 8, events: [event] });
  chat.show(false);
  chat.show(true);
  expect(begun(1)).toHaveLength(1);
});

test("b14 elsewhere opening the window begins nothing", async () => {
  const storage = new SiteStorage("s", localStorage);
  storage.set("token", "good");
  const chat = client(storage);
  chat.start();
  chat.show(true);
  await vi.advanceTimersByTimeAsync(0);
  Wire.all[0]?.onopen?.();
  const start = { mode: "snapshot", position: 7, snapshot: SNAPSHOT } as const;
  Wire.all[0]?.tell({ type: "welcome", version: 1, epoch: "e1", now: Date.now(), start });
  expect(Wire.all[0]?.sent.map(({ type }) => type)).toEqual(["hello"]);
});

test("a silent link is found dead in time, also when the clock was set back", async () => {
  const storage = new SiteStorage("s", localStorage);
  storage.set("token", "good");
  const chat = client(storage);
  chat.start();
  await vi.advanceTimersByTimeAsync(0);
  Wire.all[0]?.onopen?.();
  const start = { mode: "snapshot", position: 7, snapshot: SNAPSHOT } as const;
  Wire.all[0]?.tell({ type: "welcome", version: 1, epoch: "e1", now: Date.now(), start });
  expect(chat.state.link).toBe("live");
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(chat.state.link).toBe("reconnecting");
  expect(Wire.all[0]?.readyState).toBe(3);
});
