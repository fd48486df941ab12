// The colours of antd are the colours of tokens.css, and text can be read: the pairs below keep the
// contrast that WCAG 2.2 AA asks for (4.5:1 for text, 3:1 for edges that carry meaning).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { theme } from "antd";
import { describe, expect, it } from "vitest";
import { PALETTES, themeFor } from "./theme";

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");
const [light = "", dark = ""] = css.split(':root[data-theme="dark"]');
const tokensOf = (part: string) =>
  Object.fromEntries([...part.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, n, v]) => [n, v]));
const TOKENS: Record<"light" | "dark", Record<string, string>> = {
  light: tokensOf(light),
  dark: tokensOf(dark),
};

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const TEXT_ON: [text: string, ground: string][] = [
  ["text", "bg"],
  ["text", "surface"],
  ["text", "fresh"],
  ["text", "current"],
  ["text", "bubble-own"],
  ["text-2", "bg"],
  ["text-2", "surface"],
  ["text-2", "hover"],
  ["text-2", "current"],
  ["text-2", "fresh"],
  ["text-3", "bg"],
  ["text-3", "surface"],
  ["brand-text", "surface"],
  ["brand-text", "bg"],
  ["brand-text", "current"],
  ["brand-text", "fresh"],
  ["brand-text", "brand-soft"],
  ["on-brand", "brand"],
  ["warn", "warn-soft"],
  ["danger", "danger-soft"],
  ["danger", "surface"],
  ["danger", "current"],
  ["danger", "fresh"],
  ["fresh-chip-text", "fresh-chip"],
  ["on-count", "count"],
  ["current-text", "bg"],
  ["ok", "bg"],
  ["text", "note"],
  ["text-2", "note"],
  ["note-text", "note"],
  ["on-note", "note-fill"],
  ["vip-text", "vip"],
  ["current-text", "current"],
];

describe.each(["light", "dark"] as const)("%s", (name) => {
  it("has the same values for antd as for everything else", () => {
    const tokens = TOKENS[name];
    const same = Object.fromEntries(Object.keys(PALETTES[name]).map((key) => [key, tokens[key]]));
    expect(PALETTES[name]).toEqual(same);
  });

  it("has the brand as the colour that matters", () => {
    const drawn = theme.getDesignToken(themeFor(name, false));
    expect(drawn.colorPrimary).toBe(PALETTES[name].brand);
  });

  it("has every token of the other", () => {
    expect(Object.keys(TOKENS[name]).sort()).toEqual(Object.keys(TOKENS.light).sort());
  });

  it.each(TEXT_ON)("%s can be read on %s", (text, ground) => {
    const tokens = TOKENS[name];
    expect(contrast(tokens[text] ?? "#000000", tokens[ground] ?? "#000000")).toBeGreaterThan(4.5);
  });

  it.each([
    ["current-edge", "current"],
    ["fresh-edge", "fresh"],
    ["danger-edge", "surface"],
  ])("%s can be seen on %s", (edge, ground) => {
    const tokens = TOKENS[name];
    expect(contrast(tokens[edge] ?? "#000000", tokens[ground] ?? "#000000")).toBeGreaterThan(3);
  });
});
