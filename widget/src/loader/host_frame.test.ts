// @vitest-environment jsdom
// The loader on a page that changes its address without loading: the chat knows it when the visitor
// turns to it.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readToFrame, seal, type ToFrame, type ToHost } from "../host/messages";
import { HostFrame } from "./host_frame";

const RELAY = "https://chat.example";

/** The iframe's side: what it was told, and its own word. jsdom gives a shadow root no windows. */
function open(loader: HostFrame) {
  const inside = document.body.appendChild(document.createElement("iframe")).contentWindow;
  if (inside === null) throw new Error("no window");
  vi.spyOn(HTMLIFrameElement.prototype, "contentWindow", "get").mockReturnValue(inside);
  const told: (ToFrame | null)[] = [];
  vi.spyOn(inside, "postMessage").mockImplementation((message) => {
    told.push(readToFrame(message));
  });
  const say = (message: ToHost) => {
    const event = { data: seal(message), origin: RELAY, source: inside };
    window.dispatchEvent(new MessageEvent("message", event));
  };
  loader.call("open");
  return { told, say };
}

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("visualViewport", null);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
  for (const one of document.documentElement.querySelectorAll(":scope > div")) one.remove();
});

test("a new address without a new page is told when the visitor turns to the chat", () => {
  const url = `${RELAY}/w/s/frame`;
  const parts = { site: "s", relay: RELAY, url, has_tickets: false, locale: "en" };
  const { told, say } = open(new HostFrame(parts));
  window.dispatchEvent(new Event("blur"));
  expect(told).toEqual([]);
  say({ type: "ready" });
  for (const turn of ["blur", "popstate"]) {
    history.pushState({}, "", `/x20-pro?by=${turn}`);
    window.dispatchEvent(new Event(turn));
    const page = { url: location.href, title: "" };
    expect(told.at(-1)).toEqual({ type: "shown", is_open: true, is_full_screen: false, page });
  }
});

test("a frame that stays silent is made anew, ever later, until it speaks", () => {
  vi.useFakeTimers();
  const url = `${RELAY}/w/s/frame`;
  const parts = { site: "s", relay: RELAY, url, has_tickets: false, locale: "en" };
  const append = vi.spyOn(HTMLDivElement.prototype, "append");
  const made = () => append.mock.calls.flat().filter((one) => one instanceof HTMLIFrameElement);
  const { say } = open(new HostFrame(parts));
  expect(made()).toHaveLength(1);
  // Nothing loads at all.
  vi.advanceTimersByTime(11_499);
  expect(made()).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(made()).toHaveLength(2);
  // The browser's own words for a relay that is away: loaded, and silent.
  made()[1]?.dispatchEvent(new Event("load"));
  vi.advanceTimersByTime(3_000);
  expect(made()).toHaveLength(3);
  made()[2]?.dispatchEvent(new Event("load"));
  vi.advanceTimersByTime(5_999);
  expect(made()).toHaveLength(3);
  say({ type: "ready" });
  vi.advanceTimersByTime(1_000_000);
  expect(made()).toHaveLength(3);
  vi.useRealTimers();
});

test("the panel follows what a keyboard leaves of a phone's screen, not a zoom into it", () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  const view = Object.assign(new EventTarget(), { height: 640, offsetTop: 0, scale: 1 });
  vi.stubGlobal("visualViewport", view);
  const parts = { site: "s", relay: RELAY, url: `${RELAY}/w/s/frame`, has_tickets: false };
  open(new HostFrame({ ...parts, locale: "en" }));
  const panel =
    document.documentElement.lastElementChild?.shadowRoot?.querySelector<HTMLElement>(".panel");
  const turn = (type: string, change: object) => {
    Object.assign(view, change);
    view.dispatchEvent(new Event(type));
    return [panel?.style.height, panel?.style.top];
  };
  expect(turn("resize", { height: 380 })).toEqual(["380px", "0px"]);
  expect(turn("scroll", { offsetTop: 60 })).toEqual(["380px", "60px"]);
  expect(turn("resize", { scale: 2, height: 190, offsetTop: 200 })).toEqual(["380px", "60px"]);
  expect(turn("resize", { scale: 1, height: 640, offsetTop: 0 })).toEqual(["640px", "0px"]);
});
