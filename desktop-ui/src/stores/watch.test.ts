// Watching: what is open is watched, nothing else is, and a refusal opens nothing.

import { beforeEach, describe, expect, it } from "vitest";
import { chat } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { openConversation, resetChat, useChat } from "./chat";
import { showModule, useModules } from "./modules";
import { useNotices } from "./notices";
import { resetWatching, stopWatching, takeOver, watchConversation } from "./watch";

let host: ScriptedHost;
const asked = () =>
  host.asked
    .filter(({ type }) => type !== "close_conversation")
    .map(({ type, body }) => `${type} ${"conversation_id" in body ? body.conversation_id : ""}`);

beforeEach(() => {
  host = new ScriptedHost().on("open_conversation", ({ conversation_id }) => ({
    type: "chat",
    body: chat({ conversation_id }),
  }));
  installHost(host);
  resetWatching();
  resetChat();
  useNotices.setState({ notices: [] });
  showModule("floor");
});

describe("watching a conversation", () => {
  it("is asked for before it is shown, among the chats", async () => {
    await watchConversation("c1");
    expect(asked()).toEqual(["watch_conversation c1", "open_conversation c1"]);
    expect(useChat.getState().conversationId).toBe("c1");
    expect(useModules.getState().module).toBe("reception");
  });

  it("ends when another one is watched", async () => {
    await watchConversation("c1");
    await watchConversation("c2");
    expect(asked().slice(2)).toEqual([
      "watch_conversation c2",
      "unwatch_conversation c1",
      "open_conversation c2",
    ]);
  });

  it("ends when an own one is opened, and when none is", async () => {
    await watchConversation("c1");
    await openConversation("mine");
    expect(asked().at(-2)).toBe("unwatch_conversation c1");
    await watchConversation("c2");
    stopWatching();
    expect(asked().at(-1)).toBe("unwatch_conversation c2");
    expect(useChat.getState().conversationId).toBeNull();
  });

  it("is asked for once", async () => {
    await watchConversation("c1");
    await watchConversation("c1");
    expect(host.bodies("watch_conversation")).toHaveLength(1);
  });

  it("reads a conversation again that was open before", async () => {
    await openConversation("c1");
    await watchConversation("c1");
    expect(host.bodies("open_conversation")).toHaveLength(2);
    expect(host.bodies("unwatch_conversation")).toEqual([]);
  });

  it("opens nothing when it is refused", async () => {
    host.refuse("watch_conversation", { code: "forbidden" });
    await watchConversation("c1");
    expect(useChat.getState().conversationId).toBeNull();
    expect(useNotices.getState().notices[0]).toMatchObject({ text: "transfer.watch_refused" });
    await watchConversation("c1");
    expect(host.bodies("watch_conversation")).toHaveLength(2);
  });
});

describe("taking over", () => {
  it("opens the conversation", async () => {
    expect(await takeOver("c1")).toBe(true);
    expect(useChat.getState().conversationId).toBe("c1");
  });

  it("says why not, and opens nothing", async () => {
    host.refuse("take_over", { code: "overtaken" });
    expect(await takeOver("c1")).toBe(false);
    expect(useChat.getState().conversationId).toBeNull();
    expect(useNotices.getState().notices[0]?.problem?.code).toBe("overtaken");
  });
});
