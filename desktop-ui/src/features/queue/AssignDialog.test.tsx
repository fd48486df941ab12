// Assigning by hand: full is asked about, known or told; overtaken is said plainly and offers nothing.

import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ben, colleague, floor, floorAgent, floorWaiting } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { HostError, installHost } from "../../host";
import { setLocale } from "../../i18n";
import { replaceColleagues } from "../../stores/colleagues";
import { applyFloor } from "../../stores/floor";
import AssignDialog from "./AssignDialog";

let host: ScriptedHost;
const onClose = vi.fn();
const cai = { id: "cai", nickname: "Cai" };

function show(running = 0) {
  render(<AssignDialog row={floorWaiting("w1")} onClose={onClose} />);
  applyFloor(
    floor({
      agents: [
        floorAgent(ben.id, { running, capacity: 4 }),
        floorAgent(cai.id, { availability: "busy" }),
      ],
    }),
  );
}

async function choose() {
  const option = await screen.findByTestId("assign-option");
  const radio = option.querySelector("input");
  if (radio !== null) fireEvent.click(radio);
}

const submit = () => fireEvent.submit(screen.getByTestId("assign-dialog"));
const asked = () => host.bodies("assign");

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
  onClose.mockClear();
  replaceColleagues([colleague(), colleague({ card: cai })]);
});

describe("assigning by hand", () => {
  it("goes to the one who is chosen, of those who are online", async () => {
    show();
    await choose();
    submit();
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(asked()).toEqual([{ conversation_id: "w1", agent_id: ben.id, over_capacity: false }]);
  });

  it("asks before it goes to somebody who is full", async () => {
    show(4);
    await choose();
    submit();
    expect((await screen.findByTestId("assign-full")).textContent).toContain("Ben is at capacity");
    expect(asked()).toEqual([]);
    submit();
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(asked()).toEqual([{ conversation_id: "w1", agent_id: ben.id, over_capacity: true }]);
  });

  it("asks too when the relay says that the agent became full", async () => {
    host.on("assign", ({ over_capacity }) => {
      if (over_capacity) return { type: "done", body: {} };
      throw new HostError({ kind: "refused", code: "agent_full", retry_after_ms: null });
    });
    show(3);
    await choose();
    submit();
    await screen.findByTestId("assign-full");
    submit();
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(asked().map((one) => one.over_capacity)).toEqual([false, true]);
  });

  it("says that somebody was faster, and offers nothing more", async () => {
    host.refuse("assign", { code: "overtaken" });
    show();
    await choose();
    submit();
    expect((await screen.findByTestId("assign-problem")).textContent).toContain(
      "no longer in line",
    );
    expect(screen.queryByTestId("assign-submit")).toBeNull();
    expect(screen.queryByTestId("assign-full")).toBeNull();
    expect(onClose).not.toHaveBeenCalled();
  });

  it("says that nobody is online", async () => {
    render(<AssignDialog row={floorWaiting("w1")} onClose={onClose} />);
    applyFloor(floor());
    expect(await screen.findByText(/No colleague is online/)).toBeTruthy();
  });
});
