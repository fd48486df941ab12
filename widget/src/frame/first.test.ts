// @vitest-environment jsdom
// The document's first lines, where a file of it does not come.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

let listeners: [string, EventListenerOrEventListenerObject][] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  vi.resetModules();
  listeners = [];
  const add = window.addEventListener.bind(window);
  vi.spyOn(window, "addEventListener").mockImplementation(
    (type: string, listener: EventListenerOrEventListenerObject, options?: unknown) => {
      listeners.push([type, listener]);
      add(type, listener, options as AddEventListenerOptions);
    },
  );
  Object.assign(document.documentElement.dataset, { site: "s", zh: "/zh.js", en: "/en.js" });
});

afterEach(() => {
  for (const [type, listener] of listeners) window.removeEventListener(type, listener, true);
  document.head.replaceChildren();
  document.body.replaceChildren();
  localStorage.clear();
  location.hash = "";
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** The first lines on a relay that answers with these statuses; 0 is none. */
async function begin(...statuses: number[]) {
  const asked = vi.fn(() => {
    const status = statuses.shift() ?? 0;
    if (status === 0) return Promise.reject(new TypeError("no network"));
    return Promise.resolve(new Response("", { status }));
  });
  vi.stubGlobal("fetch", asked);
  await import("./first");
  const file = document.head.appendChild(document.createElement("script"));
  return { asked, file };
}

const words = () => document.head.querySelector("script")?.getAttribute("src");

test("the words of the language are asked for: the visitor's, the snippet's, the browser's", async () => {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["de", "zh-TW", "en"]);
  await begin();
  expect([document.documentElement.lang, words()]).toEqual(["zh-CN", "/zh.js"]);
  document.head.replaceChildren();
  vi.resetModules();
  location.hash = "#en-GB";
  await import("./first");
  expect([document.documentElement.lang, words()]).toEqual(["en", "/en.js"]);
  document.head.replaceChildren();
  vi.resetModules();
  localStorage.setItem("yingke:s:locale", "zh-CN");
  await import("./first");
  expect([document.documentElement.lang, words()]).toEqual(["zh-CN", "/zh.js"]);
});

test("a file that does not come is said, and the relay asked, ever later, until it is back", async () => {
  location.hash = "#en";
  const { asked, file } = await begin(0, 502);
  file.dispatchEvent(new Event("error"));
  file.dispatchEvent(new Event("error"));
  expect(document.body.textContent).toBe("Cannot reach the server. Trying again…");
  for (const [wait, times] of [
    [1_999, 0],
    [1, 1],
    [3_999, 1],
    [1, 2],
    [8_000, 3],
  ] as const) {
    await vi.advanceTimersByTimeAsync(wait);
    expect(asked).toHaveBeenCalledTimes(times);
  }
});

test("what comes at another try needs no other document", async () => {
  const { asked, file } = await begin(200);
  const reload = vi.fn();
  vi.stubGlobal("location", { href: "http://x/", hash: "", reload });
  file.dispatchEvent(new Event("error"));
  document.body.appendChild(document.createElement("div")).className = "app";
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect([asked.mock.calls.length, reload.mock.calls.length]).toEqual([1, 0]);
});

test("without its looks an app that is drawn is loaded again", async () => {
  const { file } = await begin(200);
  const reload = vi.fn();
  vi.stubGlobal("location", { href: "http://x/", hash: "", reload });
  const looks = document.head.appendChild(document.createElement("link"));
  document.body.appendChild(document.createElement("div")).className = "app";
  file.dispatchEvent(new Event("error"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reload).not.toHaveBeenCalled();
  looks.dispatchEvent(new Event("error"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reload).toHaveBeenCalledTimes(1);
});

test("an app that is not understood is said; one that stands is not spoken over", async () => {
  location.hash = "#zh";
  const { asked } = await begin();
  const app = document.body.appendChild(document.createElement("div"));
  app.className = "app";
  window.dispatchEvent(new ErrorEvent("error"));
  expect(document.body.textContent).toBe("");
  app.remove();
  window.dispatchEvent(new ErrorEvent("error"));
  expect(document.body.textContent).toContain("这个浏览器太旧");
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(asked).not.toHaveBeenCalled();
});
