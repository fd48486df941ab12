// The catalogue is complete and has nothing superfluous: both languages have the same keys with the
// same values to fill in, the code uses every key and no other, and every error code and kind of
// trouble has words. Once made to fail by removing a key and by adding one.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { localeFor, translate } from ".";

const root = join(import.meta.dirname, "../../..");
const GROUPS = [
  "attention",
  "away",
  "common",
  "contacts",
  "error",
  "explain",
  "floor",
  "manage",
  "notes",
  "queue",
  "replay",
  "transfer",
  "workbench",
] as const;
const GROUP = GROUPS.join("|");

type Entry = string | { one?: string; other: string };
type Catalogue = Record<string, Record<string, Entry>>;

const read = (path: string) => readFileSync(join(root, path), "utf8");
const zh = JSON.parse(read("shared/i18n/zh-CN.json")) as Catalogue;
const en = JSON.parse(read("shared/i18n/en.json")) as Catalogue;

const keysOf = (catalogue: Catalogue) =>
  GROUPS.flatMap((group) => Object.keys(catalogue[group] ?? {}).map((name) => `${group}.${name}`));

const textOf = (catalogue: Catalogue, key: string): string => {
  const [group, name] = key.split(".", 2) as [string, string];
  const entry = catalogue[group]?.[name] ?? "";
  return typeof entry === "string" ? entry : entry.other;
};

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name)
      ? [readFileSync(path, "utf8")]
      : [];
  });
}

/** Names of the members of a generated union of strings. */
function unionOf(binding: string): string[] {
  return [...read(binding).matchAll(/"([a-z_]+)"/g)].map(([, name]) => name ?? "");
}

describe("the catalogue", () => {
  it("has the same keys in both languages", () => {
    expect(keysOf(en)).toEqual(keysOf(zh));
  });

  it("fills in the same values in both languages", () => {
    for (const key of keysOf(zh)) {
      expect(placeholders(textOf(en, key)).sort(), key).toEqual(
        placeholders(textOf(zh, key)).sort(),
      );
    }
  });

  it("has no empty text", () => {
    for (const key of keysOf(zh)) {
      expect(textOf(zh, key).trim(), key).not.toBe("");
      expect(textOf(en, key).trim(), key).not.toBe("");
    }
  });

  it("is used by the code, key by key", () => {
    const code = sources(join(root, "desktop-ui/src")).join("\n");
    const whole = new Set(
      [...code.matchAll(new RegExp(`["\`]((?:${GROUP})\\.\\w+)["\`]`, "g"))].map(([, key]) => key),
    );
    // `workbench.theme_${key}` stands for every key that begins so.
    const beginnings = [...code.matchAll(new RegExp(`\`((?:${GROUP})\\.\\w*)\\$\\{`, "g"))].map(
      ([, beginning]) => beginning ?? "",
    );
    const known = new Set(keysOf(zh));
    expect([...whole].filter((key) => !known.has(key ?? ""))).toEqual([]);
    const unused = keysOf(zh).filter(
      (key) => !whole.has(key) && !beginnings.some((beginning) => key.startsWith(beginning)),
    );
    expect(unused).toEqual([]);
  });

  it("has words for every error code and kind of trouble, and for no other", () => {
    const wanted = [
      ...unionOf("shared/bindings/ErrorCode.ts"),
      ...unionOf("shared/bindings/ui/UiErrorKind.ts").map((kind) => `kind_${kind}`),
      "kind_host_lost",
      "too_fast_wait",
    ].sort();
    expect(Object.keys(zh.error ?? {}).sort()).toEqual(wanted);
  });

  it("writes Chinese with full-width punctuation", () => {
    for (const key of keysOf(zh)) {
      expect(textOf(zh, key), key).not.toMatch(/\p{Script=Han}[,:;?!()]|[,:;?!()]\p{Script=Han}/u);
    }
  });
});

describe("translate", () => {
  it("chooses the plural form and fills values in", () => {
    expect(translate("en", "error.too_fast_wait", { count: 1 })).toContain("1 second.");
    expect(translate("en", "error.too_fast_wait", { count: 3 })).toContain("3 seconds.");
    expect(translate("zh-CN", "error.too_fast_wait", { count: 3 })).toContain("3 秒");
  });
});

describe("the language at the start", () => {
  it.each([
    ["en", ["zh-CN"], "en"],
    ["", ["en-GB", "zh"], "en"],
    ["", ["fr", "zh-TW"], "zh-CN"],
    ["", ["fr"], "zh-CN"],
    ["xx", ["en"], "en"],
  ] as const)("preference %j with system %j is %s", (preference, system, locale) => {
    expect(localeFor(preference, system)).toBe(locale);
  });
});
