// How one is told is changed at once and kept; quiet hours are two times of the day.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { preferences } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { flushPreferences, usePreferences } from "../../stores/preferences";
import AttentionDialog from "./AttentionDialog";

let host: ScriptedHost;
const kept = () => {
  flushPreferences();
  return host.bodies("set_preferences").at(-1)?.preferences.alerts;
};
const press = (id: string) => act(async () => fireEvent.click(screen.getByTestId(id)));
function types(id: string, value: string) {
  fireEvent.change(screen.getByTestId(id), { target: { value } });
  fireEvent.blur(screen.getByTestId(id));
}

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  usePreferences.setState({ preferences });
  render(<AttentionDialog onClose={vi.fn()} />);
});

it("offers no loudness where there is no sound", async () => {
  expect(screen.getByTestId("attention-volume")).toBeTruthy();
  await press("attention-sound");
  expect(screen.queryByTestId("attention-volume")).toBeNull();
  expect(kept()?.sound).toBe(false);
});

it("hides what was said in notifications, where there are any", async () => {
  await press("attention-message_text");
  expect(kept()?.message_text).toBe(false);
  await press("attention-notifications");
  expect(screen.queryByTestId("attention-message_text")).toBeNull();
  expect(kept()?.message_text).toBe(false);
});

it("keeps quiet hours as minutes of the day, and says when they end on the next one", async () => {
  expect(screen.queryByTestId("attention-quiet-from")).toBeNull();
  await press("attention-quiet_hours");
  types("attention-quiet-from", "21:30");
  types("attention-quiet-to", "7");
  expect(kept()?.quiet_hours).toEqual({ on: true, from_min: 1_290, to_min: 420 });
  expect(screen.getByText("次日")).toBeTruthy();
  types("attention-quiet-from", "12:00");
  types("attention-quiet-to", "24:00");
  expect(kept()?.quiet_hours.to_min).toBe(0);
  types("attention-quiet-to", "13:15");
  expect(screen.queryByText("次日")).toBeNull();
});

it("says that two equal ends are no time at all", async () => {
  await press("attention-quiet_hours");
  types("attention-quiet-from", "08:00");
  types("attention-quiet-to", "08:00");
  expect(screen.getByRole("status").textContent).toContain("等于没有");
});
