// @vitest-environment jsdom
// Becoming a visitor over a network that hangs: all tabs wait behind one request, so it must end.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EnterRefused, Identity } from "./identity";
import { SiteStorage } from "./storage";

const TICKETS = { keeps: false, has: false, ask: () => Promise.resolve(""), give: () => {} };

/** Never answers; ends as the browser ends an aborted request. */
function hang(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each<[string, typeof fetch]>([
  ["a head that never comes", (_, init) => hang(init?.signal)],
  [
    "a body that never comes",
    (_, init) => {
      const body = new ReadableStream({
        start(controller) {
          init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
        },
      });
      return Promise.resolve(new Response(body));
    },
  ],
])("the door is given up after 15 s: %s", async (_, fetch) => {
  vi.stubGlobal("fetch", fetch);
  const entered = new Identity("s", new SiteStorage("s", localStorage), TICKETS).token(null);
  const ended = vi.fn<(thrown: unknown) => void>();
  entered.catch(ended);
  await vi.advanceTimersByTimeAsync(14_999);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toHaveBeenCalledWith(expect.any(EnterRefused));
});

test("where tabs cannot wait for each other, the first one's token is everybody's", async () => {
  const answers: ((token: string) => void)[] = [];
  vi.stubGlobal("fetch", () => {
    return new Promise<Response>((resolve) => {
      answers.push((token) => resolve(new Response(JSON.stringify({ token }))));
    });
  });
  const tabs = [0, 1].map(() => new Identity("s", new SiteStorage("s", localStorage), TICKETS));
  const tokens = Promise.all(tabs.map((tab) => tab.token(null)));
  answers[1]?.("second");
  await vi.advanceTimersByTimeAsync(0);
  answers[0]?.("first");
  expect(await tokens).toEqual(["second", "second"]);
  expect(tabs.map((tab) => tab.is_shared("second"))).toEqual([true, true]);
});

test("a token that could not be kept is kept later, unless another is there by then", () => {
  const identity = new Identity("s", new SiteStorage("s", localStorage), TICKETS);
  expect(identity.is_shared("t-vera")).toBe(false);
  identity.keep("t-vera");
  identity.keep("t-viktor");
  expect(identity.is_shared("t-vera")).toBe(true);
  expect(new Identity("s", new SiteStorage("s", null), TICKETS).is_shared(null)).toBe(false);
});
