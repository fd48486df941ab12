// Handing over: whoever is chosen can be seen, is still there, and is who is asked.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ana, ben, chatHead, colleague, floor, floorAgent } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { replaceColleagues } from "../../stores/colleagues";
import { applyFloor } from "../../stores/floor";
import InviteDialog from "./InviteDialog";

const ID = "conversation-1";
const CROWD = Array.from({ length: 7 }, (_, at) => `agent-crowd-${at}`);
let host: ScriptedHost;
const onClose = vi.fn();

const submit = () => screen.getByTestId("invite-submit");
const option = (value: string) =>
  screen.getAllByTestId("invite-option").find((one) => one.dataset.value === value);
const choose = (value: string) =>
  fireEvent.click(option(value)?.querySelector("input") ?? document.body);
const atWork = (...ids: string[]) =>
  act(() => applyFloor(floor({ agents: ids.map((id) => floorAgent(id)), departments: [] })));

beforeEach(async () => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
  onClose.mockClear();
  replaceColleagues([
    colleague(),
    ...CROWD.map((id, at) => colleague({ card: { id, nickname: `Crowd ${at}` } })),
  ]);
  render(
    <InviteDialog
      conversationId={ID}
      head={chatHead()}
      kind="transfer"
      without={[ana.id]}
      onClose={onClose}
    />,
  );
  await act(() => Promise.resolve());
  atWork(ben.id, ...CROWD);
});
afterEach(() => setLocale("zh-CN"));

describe("handing over", () => {
  it("asks the one who is chosen, with a word", async () => {
    choose(`agent:${ben.id}`);
    fireEvent.change(screen.getByTestId("invite-note"), { target: { value: " your field " } });
    await act(async () => fireEvent.click(submit()));
    expect(host.bodies("invite")).toEqual([
      {
        conversation_id: ID,
        to: { kind: "agent", agent_id: ben.id },
        kind: "transfer",
        note: "your field",
      },
    ]);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it("asks nobody who went away meanwhile, until somebody else is chosen", async () => {
    choose(`agent:${ben.id}`);
    atWork(...CROWD);
    expect(submit().hasAttribute("disabled")).toBe(true);
    await act(async () => fireEvent.submit(screen.getByTestId("invite-dialog")));
    expect(host.bodies("invite")).toEqual([]);
  });

  it("keeps who is chosen in sight, whatever is searched for", () => {
    choose(`agent:${ben.id}`);
    fireEvent.change(screen.getByLabelText("Find a colleague or department"), {
      target: { value: "Crowd 3" },
    });
    const shown = screen.getAllByTestId("invite-option").map((one) => one.dataset.value);
    expect(shown.sort()).toEqual([`agent:${ben.id}`, "agent:agent-crowd-3"].sort());
  });

  it("stays open and says why when it is refused", async () => {
    host.refuse("invite", { code: "already_exists" });
    choose(`agent:${ben.id}`);
    await act(async () => fireEvent.click(submit()));
    expect(screen.getByTestId("invite-problem").textContent).toContain("already");
    expect(onClose).not.toHaveBeenCalled();
  });
});
