// Which file says which text (catalogue.ts), held against the sources: what the first files of a chat
// name must be among the words fetched with them.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { widget } from "../../shared/i18n/zh-CN.json";
import { surfaceOf } from "../catalogue";

const APP = fileURLToPath(new URL("../src/app/", import.meta.url));
const IMPORT = /(?:^|\n)(?:import|export)\s(?!type\b)[^;(]*?["']\.\/([\w]+)["']/g;

function source(name: string): string {
  for (const ending of [".ts", ".tsx"]) {
    try {
      return readFileSync(`${APP}${name}${ending}`, "utf8");
    } catch {
      // The other ending.
    }
  }
  throw new Error(`no ${name}`);
}

/** A module with everything it imports, without what it fetches. */
function reach(name: string, found = new Map<string, string>()): Map<string, string> {
  if (found.has(name)) return found;
  const text = source(name);
  found.set(name, text);
  for (const [, next] of text.matchAll(IMPORT)) if (next !== undefined) reach(next, found);
  return found;
}

/** Names of texts: asked for, spelled out in a table, or by their beginning (`state_${mark}`). */
function textsIn(text: string): string[] {
  const begun = [...text.matchAll(/t\(`(\w+_)\$\{/g)].map(([, head]) => head ?? "?");
  return Object.keys(widget).filter((key) => {
    if (begun.some((head) => key.startsWith(head))) return true;
    return text.includes(`t("${key}"`) || (key.includes("_") && text.includes(`"${key}"`));
  });
}

/** Said where what is fetched later is there already: at the repair of a message, in the form. */
function comesWithIt(file: string, key: string): boolean {
  return key === "state_failed" || (file === "composer" && key.startsWith("leave_"));
}

test("the words of every chat are fetched with it", () => {
  const first = reach("main");
  const later = [...reach("later").keys()].filter((name) => !first.has(name));
  expect(first.has("stream") && !first.has("prompts"), "the walk finds the files").toBe(true);
  expect(later).toContain("queue");
  const late: string[] = [];
  let count = 0;
  for (const [name, text] of first) {
    if (!text.includes("./i18n") && !text.includes("useTools")) continue;
    for (const key of textsIn(text)) {
      count += 1;
      if (surfaceOf(key) !== "chat" && !comesWithIt(name, key)) late.push(`${name}: ${key}`);
    }
  }
  expect(count).toBeGreaterThan(30);
  expect(late).toEqual([]);
});
