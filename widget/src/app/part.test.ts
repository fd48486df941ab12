// @vitest-environment jsdom
// What is fetched beside the app, on a network that is not always there.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Part } from "./part";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A part whose file comes when the test says so. */
function partOf() {
  let is_there = false;
  const load = vi.fn((tries: number) =>
    is_there ? Promise.resolve(`try ${tries}`) : Promise.reject(new TypeError("no network")),
  );
  const part = new Part(load);
  const heard = vi.fn();
  part.listen(heard);
  const come = () => {
    is_there = true;
  };
  return { part, load, heard, come };
}

test("it is fetched once, whoever asks", async () => {
  const { part, load, heard, come } = partOf();
  expect(load).not.toHaveBeenCalled();
  come();
  part.ask();
  part.ask();
  await vi.advanceTimersByTimeAsync(0);
  expect([part.value, part.is_in_doubt]).toEqual(["try 0", false]);
  expect(heard).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(load).toHaveBeenCalledTimes(1);
});

test("it is tried again, ever later, and after a while it is in doubt", async () => {
  const { part, load, heard, come } = partOf();
  part.ask();
  await vi.advanceTimersByTimeAsync(999);
  expect(load).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect([load.mock.calls.length, part.is_in_doubt]).toEqual([2, false]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([load.mock.calls.length, part.is_in_doubt]).toEqual([3, true]);
  expect(heard).toHaveBeenCalledTimes(3);
  come();
  await vi.advanceTimersByTimeAsync(4_000);
  expect([part.value, part.is_in_doubt]).toEqual(["try 3", false]);
});

test("a network that is back is not waited for", async () => {
  const { part, load, come } = partOf();
  part.ask();
  await vi.advanceTimersByTimeAsync(0);
  come();
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(part.value).toBe("try 1");
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(load).toHaveBeenCalledTimes(2);
});
