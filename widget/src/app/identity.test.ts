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
