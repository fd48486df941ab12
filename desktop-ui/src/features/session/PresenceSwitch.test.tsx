// 离开 asks where conversations run, and does what was chosen; without any it is one click.

import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { inboxRow, ownCard } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { replaceInbox } from "../../stores/inbox";
import { PresenceSwitch } from "./PresenceSwitch";

let host: ScriptedHost;

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
  replaceInbox([]);
});

function chooseAway() {
  render(<PresenceSwitch own={ownCard()} />);
  fireEvent.click(screen.getByTestId("presence"));
  fireEvent.click(screen.getByTestId("presence-away"));
}

const asked = () => host.bodies("set_availability");

describe("going away", () => {
  it("is one click with nothing running", () => {
    replaceInbox([inboxRow("c1", { standing: "member" })]);
    chooseAway();
    expect(asked()).toEqual([{ availability: "away", hand_over: false }]);
  });

  it.each([
    ["away-hand-over", [{ availability: "away", hand_over: true }]],
    ["away-end", [{ availability: "away", hand_over: false }]],
    ["away-stay", []],
  ])("says how many run, and does what was chosen: %s", async (choice, expected) => {
    replaceInbox([inboxRow("c1"), inboxRow("c2"), inboxRow("c3", { standing: "watching" })]);
    chooseAway();
    const dialog = await screen.findByTestId("away-dialog");
    expect(dialog.textContent).toContain("2 conversations are still running.");
    expect(asked()).toEqual([]);
    fireEvent.click(screen.getByTestId(choice));
    await waitFor(() => expect(screen.queryByTestId("away-dialog")).toBeNull());
    expect(asked()).toEqual(expected);
  });

  it("asks as well when it was chosen in the tray", async () => {
    replaceInbox([inboxRow("c1")]);
    render(<PresenceSwitch own={ownCard()} />);
    act(() => void window.dispatchEvent(new CustomEvent("yingke:away")));
    expect(await screen.findByTestId("away-dialog")).toBeTruthy();
    expect(asked()).toEqual([]);
  });

  it("needs no choice any more when the last one ended meanwhile", async () => {
    replaceInbox([inboxRow("c1")]);
    chooseAway();
    await screen.findByTestId("away-dialog");
    act(() => replaceInbox([]));
    expect(screen.queryByTestId("away-end")).toBeNull();
    fireEvent.click(screen.getByTestId("away-go"));
    await waitFor(() => expect(screen.queryByTestId("away-dialog")).toBeNull());
    expect(asked()).toEqual([{ availability: "away", hand_over: true }]);
  });

  it("puts nothing that touches a visitor under the first Enter", async () => {
    replaceInbox([inboxRow("c1")]);
    chooseAway();
    const stay = await screen.findByTestId("away-stay");
    expect(document.activeElement).toBe(stay);
  });
});
