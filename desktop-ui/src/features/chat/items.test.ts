// The stream's items as tables: dividers, the line of new messages, runs, times, marks, and keys
// that stay when an unsent message becomes a stored one.

import { describe, expect, it } from "vitest";
import type { Message } from "../../../../shared/bindings/Message";
import {
  agentSays,
  ana,
  ben,
  joined,
  note,
  outboxItem,
  TEN_O_CLOCK,
  visitorSays,
} from "../../../testing/examples";
import { lastSeqAt, type StreamInput, type StreamItem, streamItems, withPreview } from "./items";

const MINUTE = 60_000;

function items(change: Partial<StreamInput>): StreamItem[] {
  return streamItems({
    ownId: ana.id,
    messages: [],
    notes: [],
    outbox: [],
    echoes: [],
    agents: { [ben.id]: ben },
    marks: { delivered: 0, read: 0 },
    newAfter: null,
    preview: "",
    ...change,
  });
}

/** One item as a short word, so that a stream reads like a picture. */
function word(item: StreamItem): string {
  switch (item.kind) {
    case "message":
      return [
        item.side,
        item.message.seq,
        item.first ? "face" : "",
        item.showTime ? "time" : "",
        item.mark ?? "",
        item.markWord ? "word" : "",
      ]
        .filter((part) => part !== "")
        .join(" ");
    case "system":
      return `system ${item.message.seq}`;
    case "unsent":
      return `unsent ${item.item.client_id}`;
    case "echo":
      return `echo ${item.echo.text}`;
    case "preview":
      return `preview ${item.text}`;
    default:
      return item.kind;
  }
}

/** All but the space at the end, which is always there. */
const picture = (change: Partial<StreamInput>) => items(change).slice(0, -1).map(word);

describe("the stream", () => {
  it("of nothing is its top", () => {
    expect(picture({})).toEqual(["top"]);
  });

  it("begins each day with its name, and a run anew", () => {
    const yesterday = TEN_O_CLOCK - 24 * 60 * MINUTE;
    expect(
      picture({
        messages: [
          visitorSays(1, "a", { at: yesterday }),
          visitorSays(2, "b", { at: TEN_O_CLOCK }),
        ],
      }),
    ).toEqual(["top", "day", "visitor 1 face time", "day", "visitor 2 face time"]);
  });

  it("puts the line before the first new message", () => {
    const messages = [visitorSays(1, "a"), agentSays(2, "b"), visitorSays(3, "c")];
    expect(picture({ messages, newAfter: 2 })).toEqual([
      "top",
      "day",
      "visitor 1 face time",
      "own 2 face sent word",
      "new",
      "visitor 3 face",
    ]);
    expect(picture({ messages, newAfter: 3 })).not.toContain("new");
  });

  it("gives a face to the first of a run, which a system line ends", () => {
    expect(
      picture({
        messages: [visitorSays(1, "a"), visitorSays(2, "b"), joined(3), visitorSays(4, "c")],
      }),
    ).toEqual(["top", "day", "visitor 1 face time", "visitor 2", "system 3", "visitor 4 face"]);
  });

  it("tells own messages from a colleague's", () => {
    const stream = items({ messages: [agentSays(1, "a", ben), agentSays(2, "b", ana)] });
    expect(stream.map(word).slice(2, 4)).toEqual(["colleague 1 face time", "own 2 face sent word"]);
    expect(stream[2]).toMatchObject({ author: "Ben" });
    expect(stream[3]).toMatchObject({ author: "" });
  });

  it("shows the time every five minutes", () => {
    const at = (minutes: number) => TEN_O_CLOCK + minutes * MINUTE;
    expect(
      picture({
        messages: [0, 4, 5, 9, 11].map((minutes, index) =>
          visitorSays(index + 1, "x", { at: at(minutes) }),
        ),
      }).slice(2),
    ).toEqual([
      "visitor 1 face time",
      "visitor 2",
      "visitor 3 time",
      "visitor 4",
      "visitor 5 time",
    ]);
  });

  it("marks own messages by how far they came, and names each mark once", () => {
    const messages = [1, 2, 3, 4, 5].map((seq) => agentSays(seq, "x"));
    expect(picture({ messages, marks: { delivered: 4, read: 2 } }).slice(2)).toEqual([
      "own 1 face time read",
      "own 2 read word",
      "own 3 delivered",
      "own 4 delivered word",
      "own 5 sent word",
    ]);
  });

  it("puts unsent ones after the messages and the preview last", () => {
    expect(
      picture({
        messages: [visitorSays(1, "a")],
        outbox: [outboxItem("m1"), outboxItem("m2")],
        echoes: [{ id: 1, text: "now", at: TEN_O_CLOCK }],
        preview: "typing",
      }).slice(3),
    ).toEqual(["unsent m1", "unsent m2", "echo now", "preview typing"]);
  });

  it("changes nothing but the preview with each key of the visitor", () => {
    const said = items({ messages: [visitorSays(1, "one"), agentSays(2, "two")] });
    const once = withPreview(said, "h");
    const twice = withPreview(said, "he");
    expect(once.filter((item) => !twice.includes(item))).toMatchObject([{ kind: "preview" }]);
    expect(twice.at(-1)).toBe(said.at(-1));
    expect(withPreview(said, "")).toBe(said);
  });

  it("lets the preview go on the visitor's run, and begin one after anybody else", () => {
    const first = (messages: Message[]) =>
      withPreview(items({ messages }), "h").find((item) => item.kind === "preview");
    expect(first([visitorSays(1, "one")])).toMatchObject({ first: false });
    expect(first([agentSays(1, "one")])).toMatchObject({ first: true });
    expect(first([])).toMatchObject({ first: true });
  });

  it("keeps the key when the relay's message takes an unsent one's place", () => {
    const before = items({ outbox: [outboxItem("m1")] }).at(-2);
    const after = items({ messages: [agentSays(1, "hello", ana, { client_id: "m1" })] }).at(-2);
    expect(after?.key).toBe(before?.key);
  });

  it("has no key twice, whatever ids the two sides chose", () => {
    const keys = items({
      messages: [
        visitorSays(1, "a", { client_id: "same" }),
        agentSays(2, "b", ana, { client_id: "same" }),
        joined(3),
      ],
      outbox: [outboxItem("other")],
      newAfter: 1,
      preview: "x",
    }).map((item) => item.key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("what is in view", () => {
  const stream = items({
    messages: [visitorSays(1, "a"), joined(2), visitorSays(3, "b")],
    outbox: [outboxItem("m1")],
    preview: "x",
  });

  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 2],
    [5, 3],
    [99, 3],
  ])("down to item %d reaches message %d", (index, seq) => {
    expect(lastSeqAt(stream, index)).toBe(seq);
  });
});

describe("notes", () => {
  const kinds = (change: Partial<StreamInput>) =>
    items(change).flatMap((item): (string | number)[] =>
      item.kind === "note" ? [item.note.id] : item.kind === "message" ? [item.message.seq] : [],
    );
  const said = [visitorSays(1, "a"), agentSays(2, "b"), visitorSays(3, "c")];

  it("stand after their messages, the last ones at the end", () => {
    const notes = [note("n0", 0), note("n1", 1), note("n2", 1), note("n3", 3)];
    expect(kinds({ messages: said, notes })).toEqual(["n0", 1, "n1", "n2", 2, 3, "n3"]);
  });

  it("of messages that are not held stay out", () => {
    const notes = [note("n1", 1), note("n5", 5), note("n6", 6)];
    const later = [visitorSays(6, "x"), visitorSays(7, "y")];
    expect(kinds({ messages: later, notes })).toEqual([6, "n6", 7]);
    expect(kinds({ messages: later, notes: [note("n1", 1)] })).toEqual([6, 7]);
  });

  it("say who wrote them, and break a run of bubbles", () => {
    const drawn = items({
      messages: [visitorSays(1, "a"), visitorSays(2, "b")],
      notes: [note("n1", 1), note("own", 2, { agent_id: ana.id })],
    });
    expect(drawn.filter((item) => item.kind === "note")).toMatchObject([
      { author: "Ben", own: false, key: "note:n1" },
      { own: true },
    ]);
    expect(drawn.filter((item) => item.kind === "message")).toMatchObject([
      { first: true },
      { first: true },
    ]);
  });
});
