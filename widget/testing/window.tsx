// The window with a socket written by hand, in jsdom: what a test does as the visitor and as the
// relay. Each test file calls `setUp` once.

import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, type Mock, vi } from "vitest";
import { App, type Frame, type KeptKey } from "../src/app/app";
import { ChatClient } from "../src/app/client";
import * as later from "../src/app/later";
import { Part } from "../src/app/part";
import type {
  VisitorEvent,
  VisitorFrame,
  VisitorMessage,
  VisitorSnapshot,
} from "../src/app/protocol";
import { SiteStorage } from "../src/app/storage";
import { SITE } from "./fixtures";

/** The relay's end of the socket. */
export class Wire {
  static last: Wire;
  static readonly OPEN = 1;
  readyState = 1;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly sent: { id: string; type: string; body: Record<string, unknown> }[] = [];
  constructor() {
    Wire.last = this;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  tell(frame: VisitorFrame): Promise<void> {
    return act(() => this.onmessage?.({ data: JSON.stringify(frame) }));
  }
  of(type: string) {
    return this.sent.filter((command) => command.type === type);
  }
}

export const ANA = { id: "ana", nickname: "Ana" };
export const SNAPSHOT: VisitorSnapshot = {
  visitor: { id: "vera" },
  site: { ...SITE, welcome: "您好 <b>Vera</b>" },
  conversation: null,
  messages: [],
  has_earlier: false,
};
const FRAME: Frame = {
  mode: "panel",
  is_shown: true,
  is_full_screen: false,
  locale: "zh-CN",
  has_sound: false,
};

/** What is fetched later is there, unless a test puts another in its place. */
const fetched = new Part(() => Promise.resolve(later));
fetched.value = later;
let parts = fetched;

export function fetchLater(part: Part<typeof later>): void {
  parts = part;
}

export function find<T extends HTMLElement>(testid: string): T {
  const element = document.querySelector<T>(`[data-testid="${testid}"]`);
  if (element === null) throw new Error(`no ${testid}`);
  return element;
}

export function states(): (string | undefined)[] {
  const messages = document.querySelectorAll<HTMLElement>('[data-testid="message"]');
  return [...messages].map((message) => message.dataset.state);
}

export async function type(text: string): Promise<void> {
  const field = find<HTMLTextAreaElement>("composer");
  await act(() => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

export async function press(init: KeyboardEventInit): Promise<void> {
  const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, ...init });
  await act(() => {
    find("composer").dispatchEvent(event);
  });
}

export function pass(ms: number): Promise<void> {
  return act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

export let onClose: Mock = vi.fn();
/** What survives a reload. */
let kept_values = new Map<KeptKey, string>();
const kept = {
  get: (key: KeptKey) => kept_values.get(key) ?? "",
  set: (key: KeptKey, value: string) => void kept_values.set(key, value),
};

export async function open(storage = new SiteStorage("s", localStorage)): Promise<ChatClient> {
  const client = new ChatClient({
    site: "s",
    storage,
    tickets: { keeps: false, has: false, ask: () => Promise.resolve(""), give: () => {} },
    page: () => ({ url: "https://shop.example/x20", title: "X20" }),
    locale: () => "zh-CN",
    onAgentMessage: () => {},
  });
  const nothing = () => {};
  const props = { client, kept, later: parts, onLocale: nothing, onSound: nothing };
  await act(() => render(<App {...props} frame={FRAME} onClose={onClose} />, document.body));
  await act(() => client.start());
  await pass(0);
  expect(Wire.last).toBeDefined();
  await act(() => Wire.last.onopen?.());
  return client;
}

export function welcome(snapshot = SNAPSHOT): VisitorFrame {
  const start = { mode: "snapshot", position: 7, snapshot } as const;
  return { type: "welcome", version: 1, epoch: "e1", now: Date.now(), start };
}

/** A position each event takes, from the snapshot's on. */
let position = 7;

/** The relay tells of what happened. */
export function happen(...bodies: object[]): Promise<void> {
  const after = position;
  const events = bodies.map((body) => {
    position += 1;
    return { position, ...body } as VisitorEvent;
  });
  return Wire.last.tell({ type: "delivery", after, upto: position, events });
}

/** A message as the relay tells it. */
export function messageOf(
  conversation_id: string,
  seq: number,
  said: Pick<VisitorMessage, "author" | "content"> & { client_id?: string },
): VisitorMessage {
  const { author, content, client_id = `${conversation_id}m${seq}` } = said;
  return { conversation_id, seq, client_id, author, content, at: Date.now() };
}

/** The page goes, and comes back with what it kept. */
export async function reload(): Promise<ChatClient> {
  await act(() => render(null, document.body));
  position = 7;
  Reflect.deleteProperty(Wire, "last");
  return await open();
}

/** What every test begins with and leaves behind. */
export function setUp(): void {
  beforeEach(() => {
    onClose = vi.fn();
    parts = fetched;
    position = 7;
    kept_values = new Map();
    localStorage.clear();
    // Time stands still unless a test moves it: no page that was left connects again.
    vi.useFakeTimers();
    Reflect.deleteProperty(Wire, "last");
    vi.stubGlobal("WebSocket", Wire);
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    const entered = { visitor_id: "vera", token: "t-vera" };
    const answer = new Response(JSON.stringify(entered), { status: 200 });
    vi.stubGlobal("fetch", () => Promise.resolve(answer));
  });

  afterEach(async () => {
    await act(() => render(null, document.body));
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}
