// The head of a chat: who else is there, and the question before something is taken from somebody.

import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { ana, ben, chat, chatHead, colleague, TEN_O_CLOCK } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { openConversation, resetChat } from "../../stores/chat";
import { replaceColleagues } from "../../stores/colleagues";
import { applyCompanions } from "../../stores/companions";
import { ChatHead } from "./ChatHead";

const ID = "conversation-1";
const MIA = "agent-mia";
const AGENT = "agent";
let host: ScriptedHost;

function show(change: Parameters<typeof chatHead>[0] = {}) {
  return render(
    <ChatHead
      conversationId={ID}
      head={chatHead(change)}
      ownId={ana.id}
      role={AGENT}
      sideShown={false}
      onToggleSide={() => {}}
    />,
  );
}

beforeEach(async () => {
  host = new ScriptedHost().on("open_conversation", () => ({
    type: "chat",
    body: chat({ conversation_id: ID }),
  }));
  installHost(host);
  setLocale("en");
  resetChat();
  const mia = colleague({ card: { id: MIA, nickname: "Mia" }, role: "manager" });
  replaceColleagues([colleague(), mia]);
  await openConversation(ID);
});

describe("others who have it open (X10)", () => {
  const companions = () => screen.queryByTestId("companions")?.getAttribute("aria-label");

  it("are shown when they take part or were asked to", () => {
    applyCompanions(ID, [ben.id], [ben.id]);
    show({ members: [ben.id] });
    expect(companions()).toContain("Ben");
  });

  it("are not shown while they watch unseen (F05), but to others who watch", () => {
    applyCompanions(ID, [MIA], []);
    const serves = show();
    expect(companions()).toBeUndefined();
    serves.unmount();
    show({ standing: "watching", status: { kind: "serving", agent_id: ben.id } });
    expect(companions()).toContain("Mia");
  });
});

describe("ending", () => {
  const end = () => fireEvent.click(screen.getByTestId("end-conversation"));
  const ended = () => host.bodies("end_conversation").length;

  it("is at once when nobody waits", () => {
    show();
    end();
    expect(ended()).toBe(1);
  });

  it("is asked about while the visitor waits; Esc takes it back and gives the keyboard back", () => {
    show({ unanswered_since: TEN_O_CLOCK });
    end();
    expect(ended()).toBe(0);
    fireEvent.keyDown(screen.getByRole("alert"), { key: "Escape" });
    expect(screen.queryByRole("alert")).toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId("end-conversation"));
    end();
    fireEvent.click(screen.getByTestId("end-conversation-confirm"));
    expect(ended()).toBe(1);
  });
});
