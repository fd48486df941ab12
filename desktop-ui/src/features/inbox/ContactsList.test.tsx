// Whom one served last: who is here is seen and read, and opening one shows what was said.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import type { RecentContact } from "../../../../shared/bindings/RecentContact";
import { chat, TEN_O_CLOCK, vera } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { withSizes } from "../../../testing/sized";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { resetChat, useChat } from "../../stores/chat";
import { resetContacts } from "../../stores/contacts";
import { ContactsList } from "./ContactsList";

withSizes();

/** The second is here. */
const contacts: RecentContact[] = [0, 1].map((at) => ({
  visitor: { ...vera, id: `visitor-${at}`, label: `V${at}` },
  online: at === 1,
  conversation_id: `c${at}`,
  is_open: false,
  last_at: TEN_O_CLOCK - at,
  text: "bye",
}));

beforeEach(async () => {
  const host = new ScriptedHost()
    .on("call", () => ({
      type: "called",
      body: { answer: { type: "contacts", body: { contacts } } },
    }))
    .on("open_conversation", ({ conversation_id }) => ({
      type: "chat",
      body: chat({ conversation_id }),
    }));
  installHost(host);
  setLocale("en");
  resetContacts();
  resetChat();
  render(<ContactsList listId="contacts" />);
  await screen.findAllByTestId("contact-row");
});

it("shows the last ones first; who is gone is grey, and it is said in words too (C05)", () => {
  const [gone, here] = screen.getAllByTestId("contact-row");
  expect([gone?.dataset.online, here?.dataset.online]).toEqual(["false", "true"]);
  expect(gone?.className).toContain("absent");
  expect(here?.className).not.toContain("absent");
  expect(gone?.textContent).toContain("Offline");
  expect(here?.textContent).toContain("Online");
});

it("opens what was said with the one who is chosen", async () => {
  await act(async () => fireEvent.click(screen.getByText("Visitor V1")));
  expect(useChat.getState().conversationId).toBe("c1");
});
