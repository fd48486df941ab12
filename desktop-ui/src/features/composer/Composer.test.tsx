// The composer as a person uses it: keys, input methods, drafts, limits, and a reason when it is
// closed.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ana, ben, chatHead, preferences, TEN_O_CLOCK } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { resetDrafts, useDrafts } from "../../stores/drafts";
import { usePreferences } from "../../stores/preferences";
import { Composer } from "./Composer";

let host: ScriptedHost;
const ID = "conversation-1";

function show(head = chatHead(), onLeave = () => {}, id = ID) {
  return render(<Composer conversationId={id} head={head} ownId={ana.id} onLeave={onLeave} />);
}

const field = () => screen.getByTestId<HTMLTextAreaElement>("composer");
const write = (value: string) => fireEvent.change(field(), { target: { value } });
const enter = (change = {}) => fireEvent.keyDown(field(), { key: "Enter", keyCode: 13, ...change });
const sent = () => host.bodies("send_message").map((body) => body.text);

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  resetDrafts();
  setLocale("en");
  usePreferences.setState({ preferences });
});

describe("the composer", () => {
  it("sends by Enter and is empty at once", () => {
    show();
    write("  hello ");
    enter();
    expect(sent()).toEqual(["hello"]);
    expect(field().value).toBe("");
  });

  it("sends by its button", () => {
    show();
    write("hello");
    fireEvent.click(screen.getByTestId("send"));
    expect(sent()).toEqual(["hello"]);
  });

  it("sends by Ctrl+Enter if so chosen", () => {
    usePreferences.setState({ preferences: { ...preferences, send_key: "ctrl_enter" } });
    show();
    write("hello");
    enter();
    expect(sent()).toEqual([]);
    enter({ ctrlKey: true });
    expect(sent()).toEqual(["hello"]);
  });

  it("sends nothing when there is only white space", () => {
    show();
    write(" \n ");
    enter();
    expect(sent()).toEqual([]);
    expect(screen.getByTestId<HTMLButtonElement>("send").disabled).toBe(true);
  });

  it("does not send by the Enter that ends a composition under WebKitGTK", () => {
    show();
    fireEvent.compositionStart(field());
    write("你好");
    fireEvent.compositionEnd(field());
    enter();
    expect(sent()).toEqual([]);
  });

  it("does not send while composing", () => {
    show();
    write("ni hao");
    enter({ isComposing: true });
    enter({ keyCode: 229 });
    expect(sent()).toEqual([]);
  });

  it("counts characters, not UTF-16 units, and holds back what is too long", () => {
    show();
    write(`${"松".repeat(3_999)}🌲`);
    expect(screen.getByTestId("counter").textContent).toBe("4000 / 4000");
    write(`${"松".repeat(3_999)}🌲🌲`);
    expect(screen.getByTestId("counter").textContent).toContain("1 character too many");
    enter();
    expect(sent()).toEqual([]);
  });

  it("keeps the draft shortly after the last key, at once when it is left", async () => {
    vi.useFakeTimers();
    try {
      const { unmount } = show();
      write("half");
      await act(() => vi.advanceTimersByTimeAsync(500));
      expect(host.bodies("set_draft")).toEqual([{ conversation_id: ID, text: "half" }]);
      write("half a");
      unmount();
      expect(host.bodies("set_draft").at(-1)?.text).toBe("half a");
    } finally {
      vi.useRealTimers();
    }
  });

  it("keeps the draft when the window loses the focus", () => {
    show();
    write("half");
    fireEvent.blur(window);
    expect(host.bodies("set_draft")).toEqual([{ conversation_id: ID, text: "half" }]);
  });

  it("tells that the agent types, not at every key", () => {
    show(chatHead(), () => {}, "conversation-9");
    write("h");
    write("he");
    write("hel");
    expect(host.bodies("typing")).toHaveLength(1);
  });

  it("goes back to the list by Esc and keeps the text", () => {
    const onLeave = vi.fn();
    show(chatHead(), onLeave);
    write("half");
    fireEvent.keyDown(field(), { key: "Escape" });
    expect(onLeave).toHaveBeenCalledOnce();
    expect(useDrafts.getState().texts[ID]).toBe("half");
  });
});

describe("a composer that is closed says why", () => {
  it.each([
    [
      "the visitor ended it",
      { status: { kind: "ended", by: "visitor", at: TEN_O_CLOCK } },
      "visitor has ended",
    ],
    ["it ended", { status: { kind: "ended", by: "agent", at: TEN_O_CLOCK } }, "has ended"],
    [
      "someone else serves it",
      { status: { kind: "serving", agent_id: ben.id } },
      "no longer serve",
    ],
    ["it was taken away", { held: false }, "no longer serve"],
    ["it waits in line", { status: { kind: "waiting", reason: "all_full" } }, "in line"],
  ] as const)("%s", (_, change, words) => {
    show(chatHead(change));
    expect(screen.queryByTestId("composer")).toBeNull();
    expect(screen.getByTestId("composer-closed").textContent).toContain(words);
  });
});
