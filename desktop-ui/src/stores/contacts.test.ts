// Recent contacts: the newest answer counts, what was shown stays, and writing first loses no text.

import { beforeEach, describe, expect, it } from "vitest";
import type { RecentContact } from "../../../shared/bindings/RecentContact";
import { chat, TEN_O_CLOCK, vera } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { resetChat, useChat } from "./chat";
import { readContacts, resetContacts, startConversation, useContacts } from "./contacts";
import { resetDrafts, useDrafts, writeDraft } from "./drafts";
import { useNotices } from "./notices";
import { showTab, useTabs } from "./tabs";

let host: ScriptedHost;

function contact(conversation_id: string): RecentContact {
  return {
    visitor: vera,
    online: true,
    conversation_id,
    is_open: false,
    last_at: TEN_O_CLOCK,
    text: "bye",
  };
}

function answers(...contacts: RecentContact[]) {
  host.on("call", () => ({
    type: "called",
    body: { answer: { type: "contacts", body: { contacts } } },
  }));
}

const shown = () => useContacts.getState().contacts?.map((one) => one.conversation_id);

beforeEach(() => {
  host = new ScriptedHost().on("open_conversation", ({ conversation_id }) => ({
    type: "chat",
    body: chat({ conversation_id }),
  }));
  installHost(host);
  resetContacts();
  resetChat();
  resetDrafts();
  useNotices.setState({ notices: [] });
});

describe("recent contacts", () => {
  it("are what the relay answered last", async () => {
    answers(contact("old"));
    const first = readContacts();
    answers(contact("new"));
    await Promise.all([first, readContacts()]);
    expect(shown()).toEqual(["new"]);
  });

  it("stay when they cannot be read again, and say why", async () => {
    answers(contact("c1"));
    await readContacts();
    host.refuse("call", { kind: "offline" });
    await readContacts();
    expect(shown()).toEqual(["c1"]);
    expect(useContacts.getState().problem?.kind).toBe("offline");
  });
});

describe("writing first", () => {
  it("opens the conversation that was started", async () => {
    showTab("recent");
    host.on("start_conversation", () => ({ type: "started", body: { conversation_id: "new" } }));
    writeDraft("old", "hello again");
    expect(await startConversation(vera.id, "hello again", "old")).toBe(true);
    expect(useChat.getState().conversationId).toBe("new");
    expect(useTabs.getState().tab).toBe("running");
    expect(useDrafts.getState().texts.old).toBe("");
  });

  it.each([
    ["overtaken", "contacts.taken"],
    ["forbidden", "contacts.not_started"],
  ] as const)("keeps the text when it is refused: %s", async (code, text) => {
    host.refuse("start_conversation", { code });
    writeDraft("old", "hello again");
    expect(await startConversation(vera.id, "hello again", "old")).toBe(false);
    expect(useDrafts.getState().texts.old).toBe("hello again");
    expect(useNotices.getState().notices[0]).toMatchObject({ text });
  });
});
