// The golden stories of the protocol crate: the same files, the same results as in Rust.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apply } from "./apply";
import type { VisitorEvent, VisitorSnapshot } from "./protocol";

const SAMPLES = new URL("../../../shared/samples/", import.meta.url);

interface Story {
  snapshot: VisitorSnapshot;
  events: VisitorEvent[];
  result: VisitorSnapshot;
}

const names = readdirSync(SAMPLES).filter((name) => /^visitor_.*story\.json$/.test(name));

test("there are stories", () => {
  expect(names.length).toBeGreaterThan(0);
});

for (const name of names) {
  const story = JSON.parse(readFileSync(new URL(name, SAMPLES), "utf8")) as Story;

  test(`${name}: snapshot and events give the result`, () => {
    expect(story.events.reduce(apply, story.snapshot)).toEqual(story.result);
  });

  test(`${name}: the same events again change nothing`, () => {
    const once = story.events.reduce(apply, story.snapshot);
    expect(story.events.reduce(apply, once)).toEqual(once);
  });
}

test("an unknown event changes nothing, not even the object", () => {
  const { snapshot } = JSON.parse(
    readFileSync(new URL("visitor_story.json", SAMPLES), "utf8"),
  ) as Story;
  const unknown = { position: 9, type: "party" } as unknown as VisitorEvent;
  expect(apply(snapshot, unknown)).toBe(snapshot);
});
