// @vitest-environment jsdom
// The loader on a page that was opened while the relay was away.

import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("a relay that is away is asked again, ever later, and the launcher comes with it", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("visualViewport", null);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const script = document.createElement("script");
  script.dataset.site = "s";
  // Only named: a script that stands in the page would be fetched.
  vi.spyOn(script, "src", "get").mockReturnValue("https://chat.example/widget.js");
  vi.spyOn(document, "currentScript", "get").mockReturnValue(script);
  const boot = { frame_url: "/w/s/frame", return_tickets: false };
  const answers = [
    () => Promise.reject(new TypeError("unreachable")),
    () => Promise.resolve(new Response("{}", { status: 503 })),
    // A guest network's login page, and a relay that has too much to do.
    () => Promise.resolve(new Response("<html>", { status: 200 })),
    () => Promise.resolve(new Response('{"code":"too_fast"}', { status: 429 })),
    () => Promise.resolve(new Response(JSON.stringify(boot), { status: 200 })),
  ];
  const asked = vi.fn(() => (answers.shift() ?? (() => Promise.reject(new Error("too often"))))());
  vi.stubGlobal("fetch", asked);
  const hosts = () =>
    [...document.documentElement.children].filter((one) => one.shadowRoot !== null);
  await import("./main");
  await vi.advanceTimersByTimeAsync(3_999);
  expect(asked).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(8_000);
  expect(asked).toHaveBeenCalledTimes(3);
  await vi.advanceTimersByTimeAsync(16_000);
  expect(asked).toHaveBeenCalledTimes(4);
  expect(hosts()).toHaveLength(0);
  // The network is back: at once, and once.
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveBeenCalledTimes(5);
  expect(hosts()).toHaveLength(1);
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(asked).toHaveBeenCalledTimes(5);
  // The site turns to another page of its own without loading: another body, the same launcher.
  const [host] = hosts();
  document.documentElement.replaceChild(document.createElement("body"), document.body);
  expect(host?.isConnected).toBe(true);
});
