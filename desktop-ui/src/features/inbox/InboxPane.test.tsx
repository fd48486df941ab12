// The lists beside the chat: which tabs a role has, what stands in each, and the keyboard.

import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { connection, floor, inboxRow, incoming, ownCard } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { applyConnection } from "../../stores/connection";
import { applyFloor } from "../../stores/floor";
import { replaceInbox } from "../../stores/inbox";
import { applyInvitations } from "../../stores/invitations";
import { applyQueueLength } from "../../stores/queue";
import { applySession } from "../../stores/session";
import { resetTab, showTab } from "../../stores/tabs";
import { InboxPane } from "./InboxPane";

let host: ScriptedHost;

function signIn(change: Parameters<typeof ownCard>[0] = {}) {
  applySession({ kind: "signed_in", server: "https://x.example", own: ownCard(change) });
}

const tabs = () => screen.getAllByRole("tab").map((tab) => tab.dataset.testid);

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
  resetTab();
  applyConnection(connection());
  replaceInbox([]);
  applyInvitations([]);
  applyQueueLength(3);
  signIn();
});

describe("the tabs", () => {
  it("of an agent leave out what colleagues serve", () => {
    render(<InboxPane />);
    expect(tabs()).toEqual(["tab-running", "tab-queue", "tab-recent"]);
  });

  it("of a manager have it (L02)", () => {
    signIn({ role: "manager" });
    render(<InboxPane />);
    expect(tabs()).toContain("tab-colleagues");
  });

  it("fall back to what runs when the right is gone", () => {
    showTab("colleagues");
    render(<InboxPane />);
    expect(screen.getByTestId("tab-running").getAttribute("aria-selected")).toBe("true");
  });

  it("count what runs, not what is watched, and who waits", () => {
    replaceInbox([
      inboxRow("c1"),
      inboxRow("c2", { standing: "member" }),
      inboxRow("c3", { standing: "watching" }),
    ]);
    render(<InboxPane />);
    expect(screen.getByTestId("inbox-count").textContent).toBe("2");
    expect(screen.getByTestId("queue-count").textContent).toBe("3");
  });

  it("say nothing of the line while nobody knows it", () => {
    applyQueueLength(null);
    render(<InboxPane />);
    expect(screen.queryByTestId("queue-count")).toBeNull();
  });

  it("move by arrows, round the end", () => {
    render(<InboxPane />);
    fireEvent.keyDown(screen.getByTestId("tab-running"), { key: "ArrowLeft" });
    expect(document.activeElement).toBe(screen.getByTestId("tab-recent"));
    fireEvent.keyDown(screen.getByTestId("tab-recent"), { key: "ArrowRight" });
    expect(screen.getByTestId("tab-running").getAttribute("aria-selected")).toBe("true");
  });
});

describe("the line of an agent", () => {
  it.each([
    [{}, "as soon as you have a free place"],
    [{ availability: "busy" as const }, "While you are busy"],
    [{ capacity: 1 }, "You are at capacity"],
  ])("explains itself: %j", (change, words) => {
    signIn(change);
    replaceInbox([inboxRow("c1")]);
    showTab("queue");
    render(<InboxPane />);
    expect(screen.getByRole("tabpanel").textContent).toContain("3 visitors wait");
    expect(screen.getByRole("tabpanel").textContent).toContain(words);
    // The floor is not an agent's to follow.
    expect(host.bodies("watch_floor")).toEqual([]);
  });
});

describe("an invitation", () => {
  it("stands above whichever list is open, with its note and two answers", () => {
    applyInvitations([incoming("i1", { note: "knows the invoice" })]);
    showTab("queue");
    render(<InboxPane />);
    const card = screen.getByTestId("invitation");
    expect(card.textContent).toContain("knows the invoice");
    fireEvent.click(within(card).getByTestId("invitation-decline"));
    expect(host.bodies("answer_invitation")).toEqual([{ invitation_id: "i1", accept: false }]);
  });
});

describe("what is not current", () => {
  beforeEach(() => {
    signIn({ role: "manager" });
    applyConnection(connection({ state: "reconnecting" }));
  });

  it("is no empty line", () => {
    showTab("queue");
    render(<InboxPane />);
    act(() => applyFloor(floor()));
    expect(screen.getByRole("tabpanel").textContent).not.toContain("Nobody is waiting");
    expect(screen.getByRole("tabpanel").textContent).toContain("The line is not known");
  });

  it("is said of what colleagues served", () => {
    showTab("colleagues");
    render(<InboxPane />);
    const running = {
      conversation_id: "r1",
      label: "9C4D",
      site_id: "site-1",
      department_id: "default",
      agent_id: "agent-2000",
      members: [],
      since: 0,
      unanswered_since: null,
      text: "",
    };
    act(() => applyFloor(floor({ running: [running] })));
    expect(screen.getByRole("tabpanel").textContent).toContain("not current");
  });
});
