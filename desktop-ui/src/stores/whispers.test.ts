// Whispers: kept apart from messages, sent once, never lost to a refusal.

import { beforeEach, describe, expect, it } from "vitest";
import { done, ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { resetDrafts, useDrafts } from "./drafts";
import { useNotices } from "./notices";
import { resetWhispers, sendWhisper, setMode, useWhispers, writeWhisper } from "./whispers";

let host: ScriptedHost;
const text = () => useWhispers.getState().texts.c1;

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  resetWhispers();
  resetDrafts();
  useNotices.setState({ notices: [] });
});

describe("a whisper", () => {
  it("goes as a note, and as nothing else", async () => {
    writeWhisper("c1", " she may have the discount ");
    await sendWhisper("c1");
    expect(host.asked).toEqual([
      { type: "add_note", body: { conversation_id: "c1", text: "she may have the discount" } },
    ]);
    expect(text()).toBe("");
    expect(useDrafts.getState().texts).toEqual({});
  });

  it("stays in the field when it was not sent", async () => {
    host.refuse("add_note", { kind: "offline" });
    writeWhisper("c1", "hint");
    await sendWhisper("c1");
    expect(text()).toBe("hint");
    expect(useNotices.getState().notices[0]).toMatchObject({ text: "notes.not_sent" });
    expect(useWhispers.getState().sending).toEqual([]);
  });

  it("goes once, however often it is sent, and leaves what was typed meanwhile", async () => {
    let answer = () => {};
    host.on(
      "add_note",
      () =>
        new Promise((resolve) => {
          answer = () => resolve(done);
        }),
    );
    writeWhisper("c1", "one");
    const sending = sendWhisper("c1");
    await sendWhisper("c1");
    writeWhisper("c1", "one and two");
    answer();
    await sending;
    expect(host.bodies("add_note")).toHaveLength(1);
    expect(text()).toBe("one and two");
  });

  it("is not sent empty", async () => {
    writeWhisper("c1", "  \n ");
    await sendWhisper("c1");
    expect(host.asked).toEqual([]);
  });

  it("stays a whisper for whoever types one", () => {
    setMode("c1", "reply");
    writeWhisper("c1", "h");
    expect(useWhispers.getState().modes.c1).toBe("whisper");
  });
});
