// The line as a manager works through it: the keyboard goes from row to row, order and columns are kept.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  connection,
  floor,
  floorWaiting,
  ownCard,
  preferences,
  TEN_O_CLOCK,
} from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { withSizes } from "../../../testing/sized";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { applyConnection } from "../../stores/connection";
import { applyFloor } from "../../stores/floor";
import { flushPreferences, usePreferences } from "../../stores/preferences";
import { applySession } from "../../stores/session";
import { QueueList } from "./QueueList";

let host: ScriptedHost;
withSizes();
const rows = () => screen.getAllByTestId("queue-row").map((row) => row.dataset.conversationId);
const focused = () => {
  const row = document.activeElement?.closest("[data-conversation-id]");
  return [
    row?.getAttribute("data-conversation-id"),
    document.activeElement?.getAttribute("data-testid"),
  ];
};
const key = (name: string) =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key: name });

beforeEach(async () => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
  usePreferences.setState({ preferences });
  applyConnection(connection());
  applySession({
    kind: "signed_in",
    server: "https://x.example",
    own: ownCard({ role: "manager" }),
  });
  Element.prototype.scrollIntoView ??= () => {};
  render(<QueueList listId="list" manages />);
  await act(() => Promise.resolve());
  await act(async () =>
    applyFloor(
      floor({
        waiting: [
          floorWaiting("w1", { since: TEN_O_CLOCK, place: 2 }),
          floorWaiting("w2", { since: TEN_O_CLOCK + 5, place: 1 }),
        ],
        waiting_total: 2,
      }),
    ),
  );
});
afterEach(() => setLocale("zh-CN"));

it("goes from row to row by the arrows, to the same button of each", () => {
  screen.getByRole("list").focus();
  key("ArrowDown");
  expect(focused()).toEqual(["w1", "queue-open"]);
  key("ArrowDown");
  key("ArrowDown");
  expect(focused()).toEqual(["w2", "queue-open"]);
  screen.getAllByTestId("queue-assign").at(-1)?.focus();
  key("ArrowUp");
  expect(focused()).toEqual(["w1", "queue-assign"]);
});

it("keeps its order and its columns", async () => {
  expect(rows()).toEqual(["w1", "w2"]);
  await act(async () => fireEvent.click(screen.getByTestId("queue-order")));
  await act(async () => fireEvent.click(screen.getByTestId("queue-order-place")));
  expect(rows()).toEqual(["w2", "w1"]);
  await act(async () => fireEvent.click(screen.getByTestId("queue-columns")));
  await act(async () => fireEvent.click(screen.getByTestId("queue-column-place")));
  expect(screen.queryByText(/No\. 1/)).toBeNull();
  flushPreferences();
  const kept = host.bodies("set_preferences").at(-1)?.preferences.lists.queue;
  expect(kept?.sort?.column).toBe("place");
  expect(kept?.columns.map(({ name }) => name)).not.toContain("place");
});
