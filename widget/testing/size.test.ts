// What a visitor downloads, in gzip, against its floor and its goal. Runs on the built files: the
// build comes before the tests.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const DIST = new URL("../dist/", import.meta.url);

const LOADER = { floor: 5_000, goal: 3_000 };
const CHAT = { floor: 40_000, goal: 25_000 };

function size(name: string): number {
  return gzipSync(readFileSync(new URL(name, DIST)), { level: 9 }).length;
}

test("loader and chat stay under their floors", () => {
  expect(existsSync(DIST), "run `npm run build -w widget` first").toBe(true);
  const loader = size("widget.js");
  const files = readdirSync(new URL("assets/", DIST)).map((name) => size(`assets/${name}`));
  const chat = loader + size("frame.html") + files.reduce((sum, bytes) => sum + bytes, 0);
  process.stdout.write(
    `widget sizes (gzip): loader ${loader} (goal ${LOADER.goal}, floor ${LOADER.floor}), ` +
      `everything to an open chat ${chat} (goal ${CHAT.goal}, floor ${CHAT.floor})\n`,
  );
  expect(loader).toBeLessThanOrEqual(LOADER.floor);
  expect(chat).toBeLessThanOrEqual(CHAT.floor);
});
