// Invitations to the reader: accepting opens, what is over is said plainly, one answer is enough.

import { beforeEach, describe, expect, it } from "vitest";
import { ben, chat, incoming, invitation, ownCard } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { resetChat, useChat } from "./chat";
import {
  answerInvitation,
  applyInvitationOver,
  applyInvitations,
  invite,
  useInvitations,
  withdrawInvitation,
} from "./invitations";
import { showModule, useModules } from "./modules";
import { useNotices } from "./notices";
import { applySession } from "./session";

let host: ScriptedHost;

beforeEach(() => {
  host = new ScriptedHost().on("open_conversation", ({ conversation_id }) => ({
    type: "chat",
    body: chat({ conversation_id }),
  }));
  installHost(host);
  resetChat();
  applyInvitations([]);
  useNotices.setState({ notices: [] });
});

describe("an invitation", () => {
  it("that is accepted opens its conversation, wherever one is", async () => {
    showModule("floor");
    await answerInvitation(incoming("i1"), true);
    expect(host.bodies("answer_invitation")).toEqual([{ invitation_id: "i1", accept: true }]);
    expect(useChat.getState().conversationId).toBe("conversation-1");
    expect(useModules.getState().module).toBe("reception");
  });

  it("that is declined opens nothing", async () => {
    await answerInvitation(incoming("i1"), false);
    expect(useChat.getState().conversationId).toBeNull();
  });

  it("is answered once", async () => {
    await Promise.all([
      answerInvitation(incoming("i1"), true),
      answerInvitation(incoming("i1"), false),
    ]);
    expect(host.bodies("answer_invitation")).toHaveLength(1);
    expect(useInvitations.getState().answering).toEqual([]);
  });

  it.each(["overtaken", "not_found"] as const)("that is over is said to be: %s", async (code) => {
    host.refuse("answer_invitation", { code });
    await answerInvitation(incoming("i1"), true);
    expect(useNotices.getState().notices[0]).toMatchObject({ text: "transfer.over" });
    expect(useChat.getState().conversationId).toBeNull();
  });

  it("that cannot be taken back any more says so", async () => {
    host.refuse("withdraw_invitation", { code: "overtaken" });
    await withdrawInvitation("i1");
    expect(useNotices.getState().notices[0]).toMatchObject({ text: "transfer.over" });
  });

  it("hands a refusal back to who asks", async () => {
    const ben = { kind: "agent", agent_id: "agent-2000" } as const;
    expect(await invite("c1", ben, "join", "")).toBeNull();
    host.refuse("invite", { code: "agent_unavailable" });
    expect((await invite("c1", ben, "join", ""))?.code).toBe("agent_unavailable");
  });
});

describe("an invitation that is over", () => {
  const own = invitation("i1", { from: ownCard().id, to: { kind: "agent", agent_id: ben.id } });
  const told = () => useNotices.getState().notices.map((one) => one.text);

  beforeEach(() => {
    applySession({ kind: "signed_in", server: "https://x.example", own: ownCard() });
  });

  it.each(["declined", "expired", "agent_unavailable", "nobody_free"] as const)(
    "comes back to who asked when nobody took it: %s (F03)",
    (why) => {
      applyInvitationOver({ invitation: own, why });
      expect(told()).toEqual(["transfer.returned"]);
    },
  );

  it.each(["accepted", "withdrawn", "overtaken"] as const)("says nothing when %s", (why) => {
    applyInvitationOver({ invitation: own, why });
    expect(told()).toEqual([]);
  });

  it("says nothing to others who see the conversation", () => {
    applyInvitationOver({ invitation: { ...own, from: ben.id }, why: "declined" });
    expect(told()).toEqual([]);
  });
});
