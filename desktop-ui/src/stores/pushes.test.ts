// What the core says ends up in the stores as it was said: order, replacement, nothing of another
// conversation, nothing twice.

import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  agentSays,
  ana,
  ben,
  chat,
  chatHead,
  colleague,
  connection,
  inboxRow,
  outboxItem,
  ownCard,
  uiState,
  vera,
  visitorSays,
} from "../../testing/examples";
import { done, ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import {
  editUnsent,
  endConversation,
  loadEarlier,
  openConversation,
  reopenConversation,
  resetChat,
  sendMessage,
  trimEarlier,
  useChat,
  viewed,
} from "./chat";
import { useColleagues } from "./colleagues";
import { useConnection } from "./connection";
import { flushDrafts, resetDrafts, useDrafts, writeDraft } from "./drafts";
import { replaceInbox, useInbox } from "./inbox";
import { useNotices } from "./notices";
import { start } from "./pushes";
import { signOut, useSession } from "./session";

let host: ScriptedHost;
const ID = "conversation-1";
const OTHER = "conversation-2";

async function signedIn(change: Parameters<typeof uiState>[0] = {}) {
  host.on("get_state", () => ({ type: "state", body: uiState(change) }));
  start();
  host.setLink("up");
  await vi.waitFor(() => expect(useSession.getState().session?.kind).toBe("signed_in"));
}

function opens(change: Parameters<typeof chat>[0] = {}) {
  host.on("open_conversation", ({ conversation_id }) => ({
    type: "chat",
    body: chat({ conversation_id, ...change }),
  }));
}

const seqs = () => useChat.getState().messages.map((message) => message.seq);
const unsent = () => useChat.getState().outbox.map((item) => item.client_id);

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  resetChat();
  resetDrafts();
  replaceInbox([]);
  useNotices.setState({ notices: [] });
  useSession.setState({ session: null });
});

describe("the state", () => {
  it("is drawn from one reply", async () => {
    await signedIn({
      inbox: [inboxRow(ID)],
      colleagues: [colleague({ role: "manager", availability: "busy" })],
      connection: connection({ unsent: 3 }),
    });
    expect(useInbox.getState().rows).toHaveLength(1);
    expect(useColleagues.getState().byId[ben.id]?.capacity).toBe(4);
    expect(useConnection.getState().connection.unsent).toBe(3);
  });

  it("is read anew whenever the way to the core is open again", async () => {
    await signedIn();
    opens({ messages: [visitorSays(1, "one")] });
    await openConversation(ID);
    opens({ messages: [visitorSays(1, "one"), visitorSays(2, "two")] });
    host.setLink("lost");
    expect(useConnection.getState().host).toBe("lost");
    host.setLink("up");
    await vi.waitFor(() => expect(seqs()).toEqual([1, 2]));
  });

  it("of another account leaves nothing of the one before", async () => {
    await signedIn();
    opens({ messages: [visitorSays(1, "one")], draft: "half a sentence" });
    await openConversation(ID);
    const own = ownCard({ id: ben.id, nickname: ben.nickname });
    host.push({
      type: "state",
      body: uiState({ session: { kind: "signed_in", server: "https://chat.example.com", own } }),
    });
    expect(useChat.getState().conversationId).toBeNull();
    expect(useDrafts.getState().texts).toEqual({});
  });

  it("takes a changed own card and colleague", async () => {
    await signedIn();
    host.push({ type: "own", body: ownCard({ availability: "busy" }) });
    host.push({
      type: "colleague",
      body: colleague({ capacity: 2 }),
    });
    expect(useSession.getState().session).toMatchObject({ own: { availability: "busy" } });
    expect(useColleagues.getState().byId[ben.id]?.capacity).toBe(2);
  });
});

describe("the inbox", () => {
  const ids = () => useInbox.getState().rows.map((row) => row.conversation_id);

  it("is sorted by group, then key, then id, whatever comes in whatever order", async () => {
    await signedIn({
      inbox: [
        inboxRow("d", { order: { group: 1, key: -50 } }),
        inboxRow("b", { order: { group: 0, key: 20 } }),
        inboxRow("c", { order: { group: 1, key: -90 } }),
        inboxRow("a", { order: { group: 0, key: 20 } }),
      ],
    });
    expect(ids()).toEqual(["a", "b", "c", "d"]);
    host.push({
      type: "inbox",
      body: { upsert: [inboxRow("d", { order: { group: 0, key: 5 } })], removed: ["c"] },
    });
    expect(ids()).toEqual(["d", "a", "b"]);
  });

  it("keeps rows that did not change as they are", async () => {
    await signedIn({ inbox: [inboxRow("a"), inboxRow("b")] });
    const before = useInbox.getState().byId.b;
    host.push({ type: "inbox", body: { upsert: [inboxRow("a", { unread: 2 })], removed: [] } });
    expect(useInbox.getState().byId.b).toBe(before);
  });

  it("shows a preview in its row, and in the chat if it is open", async () => {
    await signedIn({ inbox: [inboxRow(ID), inboxRow(OTHER)] });
    opens();
    await openConversation(ID);
    host.push({ type: "preview", body: { conversation_id: ID, text: "is it in st" } });
    host.push({ type: "preview", body: { conversation_id: OTHER, text: "other" } });
    expect(useInbox.getState().byId[ID]?.preview).toBe("is it in st");
    expect(useChat.getState().head?.preview).toBe("is it in st");
  });
});

describe("the open conversation", () => {
  it("merges messages by number, once each", async () => {
    await signedIn();
    opens({ messages: [visitorSays(1, "one"), visitorSays(3, "three")] });
    await openConversation(ID);
    host.push({
      type: "chat",
      body: {
        conversation_id: ID,
        head: chatHead(),
        messages: [visitorSays(3, "three"), visitorSays(2, "two"), visitorSays(4, "four")],
        notes: [],
        outbox: [],
      },
    });
    expect(seqs()).toEqual([1, 2, 3, 4]);
  });

  it("ignores what is said about another conversation", async () => {
    await signedIn();
    opens({ messages: [visitorSays(1, "one")] });
    await openConversation(ID);
    host.push({
      type: "chat",
      body: {
        conversation_id: OTHER,
        head: chatHead({ visitor: { ...vera, label: "ELSE" } }),
        messages: [visitorSays(7, "not here")],
        notes: [],
        outbox: [outboxItem("o1", { conversation_id: OTHER })],
      },
    });
    expect(seqs()).toEqual([1]);
    expect(unsent()).toEqual([]);
    expect(useChat.getState().head?.visitor.label).toBe(vera.label);
  });

  it("ignores the late reply for one that was left meanwhile", async () => {
    await signedIn();
    let answer: (() => void) | undefined;
    host.on("open_conversation", ({ conversation_id }) =>
      conversation_id === ID
        ? new Promise((resolve) => {
            answer = () =>
              resolve({ type: "chat", body: chat({ messages: [visitorSays(1, "late")] }) });
          })
        : { type: "chat", body: chat({ conversation_id, messages: [visitorSays(5, "now")] }) },
    );
    const slow = openConversation(ID);
    await openConversation(OTHER);
    answer?.();
    await slow;
    expect(useChat.getState().conversationId).toBe(OTHER);
    expect(seqs()).toEqual([5]);
  });

  const says = (head: ReturnType<typeof chatHead>, messages: ReturnType<typeof visitorSays>[]) =>
    host.push({
      type: "chat",
      body: { conversation_id: ID, head, messages, notes: [], outbox: [] },
    });

  it("replaces what it shows when the relay's history is another one", async () => {
    await signedIn();
    opens({
      head: chatHead({ visitor_marks: { delivered: 3, read: 3 } }),
      messages: [visitorSays(1, "one"), visitorSays(2, "two"), visitorSays(3, "phantom")],
    });
    await openConversation(ID);
    says(chatHead({ history: 1 }), [visitorSays(2, "two")]);
    expect(seqs()).toEqual([2]);
    expect(useChat.getState().hasEarlier).toBe(true);
    expect(useChat.getState().head?.visitor_marks).toEqual({ delivered: 0, read: 0 });
  });

  it("does not merge across a hole", async () => {
    await signedIn();
    opens({ messages: [visitorSays(1, "one")] });
    await openConversation(ID);
    says(chatHead(), [visitorSays(40, "forty")]);
    expect(seqs()).toEqual([40]);
    expect(useChat.getState().hasEarlier).toBe(true);
    says(chatHead(), [visitorSays(39, "thirty-nine")]);
    expect(seqs()).toEqual([39, 40]);
  });

  it("throws away a head that was told before the one it holds, and its outbox", async () => {
    await signedIn();
    const late = outboxItem("o1", { conversation_id: ID, text: "already sent" });
    const ended = { kind: "ended", by: "visitor", at: 9 } as const;
    opens({ head: chatHead({ edition: 4 }), outbox: [late], messages: [visitorSays(1, "one")] });
    const opening = openConversation(ID);
    host.push({
      type: "chat",
      body: {
        conversation_id: ID,
        head: chatHead({ edition: 5, status: ended }),
        messages: [],
        notes: [],
        outbox: [],
      },
    });
    await opening;
    expect(useChat.getState().head?.status.kind).toBe("ended");
    expect(useChat.getState().outbox).toEqual([]);
    expect(useChat.getState().messages.map(({ seq }) => seq)).toEqual([1]);
  });

  it("takes the first head of a core that started anew, whatever its number", async () => {
    await signedIn();
    opens({ head: chatHead({ edition: 40 }), messages: [visitorSays(1, "one")] });
    await openConversation(ID);
    opens({ head: chatHead({ edition: 1, vip: true }), messages: [visitorSays(1, "one")] });
    host.setLink("lost");
    host.setLink("up");
    await vi.waitFor(() => expect(useChat.getState().head?.vip).toBe(true));
  });

  it("takes no mark back", async () => {
    await signedIn();
    opens({ head: chatHead({ visitor_marks: { delivered: 5, read: 4 } }) });
    await openConversation(ID);
    host.push({
      type: "chat",
      body: {
        conversation_id: ID,
        head: chatHead({ visitor_marks: { delivered: 3, read: 3 } }),
        messages: [],
        notes: [],
        outbox: [],
      },
    });
    expect(useChat.getState().head?.visitor_marks).toEqual({ delivered: 5, read: 4 });
  });

  it.each([
    ["after the last viewed", 2, 2],
    ["not when everything was viewed", 3, null],
    ["not in one never viewed: everything is new", 0, null],
  ])("has the line of new messages %s", async (_, own_read, newAfter) => {
    await signedIn();
    opens({
      head: chatHead({ own_read }),
      messages: [visitorSays(1, "one"), agentSays(2, "two"), visitorSays(3, "three")],
    });
    await openConversation(ID);
    expect(useChat.getState().newAfter).toBe(newAfter);
  });

  it("reads earlier messages once at a time and joins them on", async () => {
    await signedIn();
    opens({ messages: [visitorSays(51, "x")], has_earlier: true });
    host.on("load_earlier", ({ before }) => ({
      type: "earlier",
      body: { items: [visitorSays(before - 1, "y")], notes: [], has_earlier: false },
    }));
    await openConversation(ID);
    await Promise.all([loadEarlier(), loadEarlier()]);
    expect(host.bodies("load_earlier")).toEqual([{ conversation_id: ID, before: 51 }]);
    expect(seqs()).toEqual([50, 51]);
    await loadEarlier();
    expect(host.bodies("load_earlier")).toHaveLength(1);
  });

  it("has nothing above its first message, whatever a page said before that came", async () => {
    await signedIn();
    opens({ messages: [visitorSays(3, "c")], has_earlier: true });
    await openConversation(ID);
    const messages = [visitorSays(1, "a"), visitorSays(2, "b")];
    host.push({
      type: "chat",
      body: { conversation_id: ID, head: chatHead(), messages, notes: [], outbox: [] },
    });
    expect(useChat.getState().hasEarlier).toBe(false);
  });

  it("joins no page on that ends elsewhere than its messages begin by now", async () => {
    await signedIn();
    opens({
      messages: Array.from({ length: 700 }, (_, at) => visitorSays(at + 51, "x")),
      has_earlier: true,
    });
    host.on("load_earlier", ({ before }) => ({
      type: "earlier",
      body: { items: [visitorSays(before - 1, "y")], notes: [], has_earlier: true },
    }));
    await openConversation(ID);
    const loading = loadEarlier();
    trimEarlier();
    await loading;
    expect(seqs()[0]).toBe(451);
    expect(seqs()).toHaveLength(300);
    expect(useChat.getState()).toMatchObject({ hasEarlier: true, earlier: "idle" });
  });

  it("says when earlier messages could not be read", async () => {
    await signedIn();
    opens({ messages: [visitorSays(51, "x")], has_earlier: true });
    host.refuse("load_earlier", { kind: "offline" });
    await openConversation(ID);
    await loadEarlier();
    expect(useChat.getState().earlier).toBe("failed");
  });

  it("lets go of old messages at the end and can read them again", async () => {
    await signedIn();
    opens({ messages: Array.from({ length: 700 }, (_, at) => visitorSays(at + 1, "x")) });
    await openConversation(ID);
    trimEarlier();
    expect(seqs()).toHaveLength(300);
    expect(seqs()[0]).toBe(401);
    expect(useChat.getState().hasEarlier).toBe(true);
  });

  it("asks for a read mark once per number", async () => {
    await signedIn();
    opens({ head: chatHead({ own_read: 1 }) });
    await openConversation(ID);
    viewed(ID, 1);
    viewed(ID, 3);
    viewed(ID, 3);
    viewed(OTHER, 9);
    expect(host.bodies("viewed")).toEqual([{ conversation_id: ID, seq: 3 }]);
  });

  it("asks for a read mark again that was not heard", async () => {
    await signedIn();
    opens({ head: chatHead({ own_read: 1 }) });
    await openConversation(ID);
    host.refuse("viewed", { kind: "host_lost" });
    viewed(ID, 3);
    await vi.waitFor(() => expect(useChat.getState().head?.own_read).toBe(1));
    viewed(ID, 3);
    expect(host.bodies("viewed")).toHaveLength(2);
  });

  it("says why it could not be ended", async () => {
    await signedIn();
    opens();
    host.refuse("end_conversation", { kind: "offline" });
    await openConversation(ID);
    await endConversation(ID);
    expect(useChat.getState().ending).toBe(false);
    expect(useNotices.getState().notices[0]?.text).toBe("workbench.end_refused");
  });
});

describe("sending", () => {
  const pushed = (messages: ReturnType<typeof agentSays>[], outbox = [outboxItem("m1")]) =>
    host.push({
      type: "chat",
      body: { conversation_id: ID, head: chatHead(), messages, notes: [], outbox },
    });
  const stored = agentSays(2, "hello", ana, { client_id: "m1" });

  beforeEach(async () => {
    await signedIn();
    opens({ messages: [visitorSays(1, "one")] });
    host.on("send_message", ({ text }) => ({
      type: "queued",
      body: { item: outboxItem("m1", { text }) },
    }));
    await openConversation(ID);
  });

  it("shows the text at once, then the item, then the message, never two", async () => {
    const sending = sendMessage(ID, "hello");
    expect(useChat.getState().echoes.map((echo) => echo.text)).toEqual(["hello"]);
    await sending;
    expect(useChat.getState().echoes).toEqual([]);
    expect(unsent()).toEqual(["m1"]);
    pushed([stored]);
    expect(unsent()).toEqual([]);
    expect(seqs()).toEqual([1, 2]);
  });

  it("shows one even when the push overtakes the reply", async () => {
    const sending = sendMessage(ID, "hello");
    pushed([], [outboxItem("m1")]);
    expect(useChat.getState().echoes).toEqual([]);
    expect(unsent()).toEqual(["m1"]);
    pushed([stored], []);
    await sending;
    expect(unsent()).toEqual([]);
    expect(seqs()).toEqual([1, 2]);
  });

  it("keeps what a push said about an item over a later reply", async () => {
    const sending = sendMessage(ID, "hello");
    pushed([], [outboxItem("m1", { state: { kind: "failed", code: "too_large" } })]);
    await sending;
    expect(useChat.getState().outbox[0]?.state.kind).toBe("failed");
  });

  it("puts the text back when the core could not keep it", async () => {
    host.refuse("send_message", { kind: "storage" });
    writeDraft(ID, "hello");
    const sending = sendMessage(ID, "hello");
    writeDraft(ID, "next");
    await sending;
    expect(useDrafts.getState().texts[ID]).toBe("hello\nnext");
    expect(useChat.getState().echoes).toEqual([]);
    expect(useNotices.getState().notices[0]?.text).toBe("workbench.send_not_kept");
  });

  it("takes an unsent message back into the composer", async () => {
    await sendMessage(ID, "hello");
    const [item] = useChat.getState().outbox;
    expect(item).toBeDefined();
    if (item !== undefined) await editUnsent(item);
    expect(host.bodies("discard_send")).toEqual([{ client_id: "m1" }]);
    expect(useDrafts.getState().texts[ID]).toBe("hello");
    expect(unsent()).toEqual([]);
  });

  it("keeps the draft before it takes the message out", async () => {
    await sendMessage(ID, "hello");
    const [item] = useChat.getState().outbox;
    if (item !== undefined) await editUnsent(item);
    const asked = host.asked.map((request) => request.type).slice(-2);
    expect(asked).toEqual(["set_draft", "discard_send"]);
  });

  it("says the same text under the same name when the answer was lost", async () => {
    host.refuse("send_message", { kind: "host_lost" });
    await sendMessage(ID, "hello");
    await sendMessage(ID, "hello");
    await sendMessage(ID, "hello, Vera");
    const [one, two, three] = host.bodies("send_message").map((body) => body.client_id);
    expect(one).toBeDefined();
    expect(two).toBe(one);
    expect(three).not.toBe(one);
  });

  it("asks in the order the person made, and waits for no answer before the next", async () => {
    host.on("send_message", () => new Promise(() => {}));
    void sendMessage(ID, "hello");
    writeDraft(ID, "next");
    await flushDrafts();
    const asked = host.asked.map((request) => request.type).slice(-2);
    expect(asked).toEqual(["send_message", "set_draft"]);
  });

  it("leaves a message alone that is being sent", async () => {
    host.refuse("discard_send");
    await sendMessage(ID, "hello");
    const [item] = useChat.getState().outbox;
    if (item !== undefined) await editUnsent(item);
    expect(unsent()).toEqual(["m1"]);
    expect(useDrafts.getState().texts[ID] ?? "").toBe("");
  });
});

describe("drafts", () => {
  it("are written once after the last key, and at once when asked", async () => {
    vi.useFakeTimers();
    try {
      writeDraft(ID, "a");
      writeDraft(ID, "ab");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(host.bodies("set_draft")).toEqual([{ conversation_id: ID, text: "ab" }]);
      writeDraft(ID, "abc");
      writeDraft(OTHER, "x");
      await flushDrafts();
      expect(host.bodies("set_draft").slice(1)).toEqual([
        { conversation_id: ID, text: "abc" },
        { conversation_id: OTHER, text: "x" },
      ]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(host.bodies("set_draft")).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are handed over when another conversation is opened, and come back", async () => {
    await signedIn();
    opens({ draft: "kept" });
    await openConversation(ID);
    writeDraft(ID, "being written");
    await openConversation(OTHER);
    expect(host.bodies("set_draft")).toEqual([{ conversation_id: ID, text: "being written" }]);
    expect(useDrafts.getState().texts[OTHER]).toBe("kept");
  });

  it("that could not be handed over go as soon as the way is open", async () => {
    let kept = "old";
    await signedIn();
    host.on("open_conversation", () => ({ type: "chat", body: chat({ draft: kept }) }));
    await openConversation(ID);
    host.setLink("lost");
    host.refuse("set_draft", { kind: "host_lost" });
    writeDraft(ID, "written while nobody heard it");
    await flushDrafts();
    host.on("set_draft", ({ text }) => {
      kept = text;
      return done;
    });
    host.setLink("up");
    await vi.waitFor(() => expect(host.bodies("open_conversation")).toHaveLength(2));
    expect(kept).toBe("written while nobody heard it");
    await vi.waitFor(() => expect(useDrafts.getState().texts[ID]).toBe(kept));
    await flushDrafts();
    expect(host.bodies("set_draft")).toHaveLength(2);
  });

  it("do not come back from an answer that was on its way when they were sent", async () => {
    await signedIn();
    opens({ draft: "hello" });
    await openConversation(ID);
    let answer: (() => void) | undefined;
    host.on(
      "open_conversation",
      () =>
        new Promise((resolve) => {
          answer = () => resolve({ type: "chat", body: chat({ draft: "hello" }) });
        }),
    );
    host.on("send_message", () => ({ type: "queued", body: { item: outboxItem("m1") } }));
    const reading = reopenConversation();
    await sendMessage(ID, "hello");
    answer?.();
    await reading;
    expect(useDrafts.getState().texts[ID]).toBe("");
  });

  it("are handed over before signing out", async () => {
    writeDraft(ID, "half");
    await signOut();
    expect(host.asked.map((request) => request.type)).toEqual(["set_draft", "sign_out"]);
  });

  it("being written win over what the core had", async () => {
    await signedIn();
    opens({ draft: "old" });
    writeDraft(ID, "newer");
    const opening = openConversation(ID);
    writeDraft(ID, "newest");
    await opening;
    expect(useDrafts.getState().texts[ID]).toBe("newest");
  });
});
