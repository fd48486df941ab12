// The composer as a person uses it: keys, input methods, drafts, limits, and a reason when it is
// closed.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ana, ben, chatHead, preferences, TEN_O_CLOCK, vera } from "../../../testing/examples";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { resetChat } from "../../stores/chat";
import { resetContacts, useContacts } from "../../stores/contacts";
import { resetDrafts, useDrafts } from "../../stores/drafts";
import { usePreferences } from "../../stores/preferences";
import { resetWhispers } from "../../stores/whispers";
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
  resetWhispers();
  resetContacts();
  resetChat();
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

describe("a whisper", () => {
  const whisper = () => screen.getByTestId<HTMLTextAreaElement>("whisper");
  const notes = () => host.bodies("add_note").map((body) => body.text);
  const radioOf = (id: string) => screen.getByTestId(id).querySelector("input") ?? document.body;
  const begin = () => fireEvent.click(radioOf("mode-whisper"));
  const say = (value: string) => fireEvent.change(whisper(), { target: { value } });
  const watching = chatHead({
    standing: "watching",
    status: { kind: "serving", agent_id: ben.id },
  });

  it("is a note and never a message, nor typing the visitor could see", () => {
    show(chatHead(), () => {}, "conversation-8");
    begin();
    say("she is a friend of the house");
    fireEvent.keyDown(whisper(), { key: "Enter", keyCode: 13 });
    expect(notes()).toEqual(["she is a friend of the house"]);
    expect(sent()).toEqual([]);
    expect(host.bodies("typing")).toEqual([]);
    expect(host.bodies("set_draft")).toEqual([]);
  });

  it("has its own field, words and button, apart from what is written to the visitor", () => {
    show();
    write("for the visitor");
    begin();
    expect(screen.queryByTestId("composer")).toBeNull();
    expect(whisper().value).toBe("");
    expect(screen.getByText("staff only")).toBeTruthy();
    expect(screen.getByTestId("whisper-send").textContent).toContain("Send to staff");
    say("for us");
    fireEvent.click(radioOf("mode-reply"));
    expect(field().value).toBe("for the visitor");
    enter();
    expect(sent()).toEqual(["for the visitor"]);
    expect(notes()).toEqual([]);
  });

  it("is left by Esc, and its text stays", () => {
    const onLeave = vi.fn();
    show(chatHead(), onLeave);
    begin();
    say("half");
    fireEvent.keyDown(whisper(), { key: "Escape" });
    expect(onLeave).not.toHaveBeenCalled();
    expect(field().value).toBe("");
    begin();
    expect(whisper().value).toBe("half");
  });

  it("is all that one who watches can write (F05)", () => {
    show(watching);
    expect(screen.queryByTestId("composer")).toBeNull();
    expect(screen.queryByTestId("mode-reply")).toBeNull();
    say("offer the discount");
    fireEvent.click(screen.getByTestId("whisper-send"));
    expect(notes()).toEqual(["offer the discount"]);
  });

  it("that is being typed stays one when a manager enters meanwhile", () => {
    const { rerender } = show(watching);
    say("offer the");
    const entered = { ...watching, standing: "member" as const };
    rerender(<Composer conversationId={ID} head={entered} ownId={ana.id} onLeave={() => {}} />);
    expect(whisper().value).toBe("offer the");
    expect(screen.queryByTestId("composer")).toBeNull();
  });

  it("can be written by one who is asked, while nothing goes to the visitor", () => {
    show(chatHead({ standing: "invited", status: { kind: "serving", agent_id: ben.id } }));
    expect(screen.getByTestId("composer-closed").textContent).toContain("Accept the invitation");
    fireEvent.click(screen.getByTestId("whisper-open"));
    expect(whisper()).toBeTruthy();
  });

  it("that was being written when it ended can still be read", () => {
    const { rerender } = show();
    begin();
    say("ask for the order number");
    const ended = chatHead({ status: { kind: "ended", by: "visitor", at: TEN_O_CLOCK } });
    rerender(<Composer conversationId={ID} head={ended} ownId={ana.id} onLeave={() => {}} />);
    expect(screen.getByTestId("unsaid").textContent).toContain("ask for the order number");
  });

  it("cannot be added to what is over", () => {
    show(chatHead({ status: { kind: "ended", by: "agent", at: TEN_O_CLOCK } }));
    expect(screen.queryByTestId("whisper-open")).toBeNull();
  });
});

describe("writing first", () => {
  const over = chatHead({
    standing: "reading",
    held: false,
    status: { kind: "ended", by: "visitor", at: TEN_O_CLOCK },
  });

  it("is offered for a visitor one served, and starts a conversation (C05)", () => {
    useContacts.setState({
      contacts: [
        {
          visitor: vera,
          online: true,
          conversation_id: ID,
          is_open: false,
          last_at: TEN_O_CLOCK,
          text: "",
        },
      ],
    });
    show(over);
    fireEvent.click(screen.getByTestId("write-first"));
    fireEvent.change(screen.getByTestId("start"), { target: { value: "hello again" } });
    fireEvent.click(screen.getByTestId("start-send"));
    expect(host.bodies("start_conversation")).toEqual([
      { visitor_id: vera.id, text: "hello again" },
    ]);
    expect(sent()).toEqual([]);
  });

  it("is not offered for anybody else's visitor", () => {
    show(over);
    expect(screen.queryByTestId("write-first")).toBeNull();
  });
});
