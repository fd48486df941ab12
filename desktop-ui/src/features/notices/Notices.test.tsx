// Notices leave by themselves, but not while somebody reads them.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { confirm, dismiss, useNotices } from "../../stores/notices";
import { Notices } from "./Notices";

const shown = () => screen.queryAllByTestId("notice").length;
const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));

beforeEach(() => {
  vi.useFakeTimers();
  render(<Notices />);
  act(() => confirm("manage.saved"));
});
afterEach(() => {
  act(() => {
    for (const { id } of useNotices.getState().notices) dismiss(id);
  });
  vi.useRealTimers();
});

it("leave after a while", () => {
  expect(shown()).toBe(1);
  pass(60_000);
  expect(shown()).toBe(0);
});

it("stay while the pointer is at them, and leave some time after", () => {
  fireEvent.mouseEnter(screen.getByRole("status"));
  act(() => confirm("common.copied"));
  pass(60_000);
  expect(shown()).toBe(2);
  fireEvent.mouseLeave(screen.getByRole("status"));
  pass(60_000);
  expect(shown()).toBe(0);
});

it("that were closed under the pointer hold back none that comes later", () => {
  fireEvent.mouseEnter(screen.getByRole("status"));
  fireEvent.click(screen.getByRole("button"));
  expect(shown()).toBe(0);
  act(() => confirm("common.copied"));
  pass(60_000);
  expect(shown()).toBe(0);
});
