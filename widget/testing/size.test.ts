// What a visitor downloads, in gzip, against its floor and its goal: the loader, and everything until
// the window stands, messages are read and one is written. What is fetched afterwards (the menu,
// forms, cards, the other language) has a limit of its own. Runs on the built files: the build comes
// before the tests.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const DIST = new URL("../dist/", import.meta.url);

/** The limit stands just above what is there: what grows is meant to be seen. */
const LOADER = { limit: 4_500, floor: 5_000, goal: 3_000 };
const CHAT = { limit: 32_600, floor: 40_000, goal: 25_000 };
const LATER = { limit: 11_000 };

function size(name: string): number {
  return gzipSync(readFileSync(new URL(name, DIST)), { level: 9 }).length;
}

function sum(names: string[]): number {
  return names.reduce((bytes, name) => bytes + size(`assets/${name}`), 0);
}

test("loader and chat stay under their limits", () => {
  expect(existsSync(DIST), "run `npm run build -w widget` first").toBe(true);
  const files = readdirSync(new URL("assets/", DIST));
  const of = (head: string) => files.filter((name) => name.startsWith(`${head}-`));
  const [frame, later, zh, en] = [of("frame"), of("later"), of("zh-CN"), of("en")];
  expect(frame.length, "a script and its looks").toBe(2);
  expect([later.length, zh.length, en.length]).toEqual([1, 1, 1]);
  expect(files.length, "nothing else is built").toBe(5);
  const loader = size("widget.js");
  const words = Math.max(sum(zh), sum(en));
  const chat = loader + size("frame.html") + sum(frame) + words;
  const rest = sum(files) - sum(frame) - words;
  process.stdout.write(
    `widget sizes (gzip): loader ${loader} (goal ${LOADER.goal}, floor ${LOADER.floor}), ` +
      `everything to an open chat ${chat} (goal ${CHAT.goal}, floor ${CHAT.floor}), ` +
      `fetched afterwards ${rest}\n`,
  );
  expect(loader).toBeLessThanOrEqual(LOADER.limit);
  expect(chat).toBeLessThanOrEqual(CHAT.limit);
  expect(rest).toBeLessThanOrEqual(LATER.limit);
});
