// Every state has its place on the page, and only what is known there is put in.

import { expect, it } from "vitest";
import { settings } from "../../../testing/settings";
import { filled, PROMPT_GROUPS } from "./prompts";

it("shows every state once", () => {
  const states = PROMPT_GROUPS.flatMap((group) => group.states);
  expect([...states].sort()).toEqual(Object.keys(settings().prompts.value).sort());
});

it("puts in what the state knows and leaves other braces alone", () => {
  const values = { place: "3", wait: "2 分钟", agent: "小雨" };
  expect(filled("第 {place} 位，约 {wait}，{agent} {x} {}", ["place", "wait"], values)).toBe(
    "第 3 位，约 2 分钟，{agent} {x} {}",
  );
});
