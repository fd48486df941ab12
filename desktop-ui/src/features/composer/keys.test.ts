// What a key means in the composer. The rows about input methods are event sequences as recorded:
// Chromium and Firefox (`isComposing`), Windows' text services (229), WebKitGTK (an ordinary Enter
// right after the end of the composition).

import { describe, expect, it } from "vitest";
import type { Composed } from "../../ui/inputMethod";
import { type KeyMeaning, meaningOf, type Press } from "./keys";

const NOW = 10_000;

function press(change: Partial<Press> = {}): Press {
  return {
    key: "Enter",
    keyCode: 13,
    isComposing: false,
    repeat: false,
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    timeStamp: NOW,
    ...change,
  };
}

const ended = (msAgo: number, released: boolean): Composed => ({ at: NOW - msAgo, released });

describe("with Enter as the send key", () => {
  it.each<[string, Partial<Press>, KeyMeaning]>([
    ["Enter sends", {}, "send"],
    ["Shift+Enter breaks by itself", { shiftKey: true }, "none"],
    ["Ctrl+Enter breaks", { ctrlKey: true }, "break"],
    ["⌘+Enter breaks", { metaKey: true }, "break"],
    ["Alt+Enter is left alone", { altKey: true }, "none"],
    ["a held Enter does not send", { repeat: true }, "none"],
    ["a letter is a letter", { key: "a", keyCode: 65 }, "none"],
    ["Esc leaves", { key: "Escape", keyCode: 27 }, "leave"],
    ["Esc inside a composition does not leave", { key: "Escape", isComposing: true }, "none"],
  ])("%s", (_, change, meaning) => {
    expect(meaningOf(press(change), "enter", null)).toBe(meaning);
  });
});

describe("with Ctrl+Enter as the send key", () => {
  it.each<[string, Partial<Press>, KeyMeaning]>([
    ["Enter breaks by itself", {}, "none"],
    ["Ctrl+Enter sends", { ctrlKey: true }, "send"],
    ["⌘+Enter sends", { metaKey: true }, "send"],
    ["Ctrl+Shift+Enter does not", { ctrlKey: true, shiftKey: true }, "none"],
  ])("%s", (_, change, meaning) => {
    expect(meaningOf(press(change), "ctrl_enter", null)).toBe(meaning);
  });
});

describe("an input method's Enter never sends", () => {
  it.each<[string, Partial<Press>, Composed | null]>([
    ["while composing", { isComposing: true }, null],
    ["with the key code of processing", { keyCode: 229 }, null],
    ["right after the composition ended", {}, ended(0, false)],
    ["after it ended, whatever was released between", {}, ended(60, true)],
    ["a slow machine: same press, 300 ms later", {}, ended(300, false)],
  ])("%s", (_, change, composed) => {
    expect(meaningOf(press(change), "enter", composed)).toBe("none");
    expect(meaningOf(press({ ...change, ctrlKey: true }), "ctrl_enter", composed)).toBe("none");
  });
});

describe("an input method's Esc does not leave", () => {
  it.each<[string, Partial<Press>, Composed | null]>([
    ["with the key code of processing", { keyCode: 229 }, null],
    ["right after the composition was given up", { keyCode: 27 }, ended(0, false)],
  ])("%s", (_, change, composed) => {
    expect(meaningOf(press({ key: "Escape", ...change }), "enter", composed)).toBe("none");
  });
});

describe("the Enter after that sends", () => {
  it.each<[string, Composed]>([
    ["once the key was released and pressed again", ended(150, true)],
    ["long after the composition", ended(800, false)],
  ])("%s", (_, composed) => {
    expect(meaningOf(press(), "enter", composed)).toBe("send");
  });
});
