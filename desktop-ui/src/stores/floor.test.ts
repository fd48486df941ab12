// The floor is asked for by the first who looks and let go by the last; what comes after that is not
// kept.

import { beforeEach, expect, it, vi } from "vitest";
import { floor } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { applyFloor, resetFloor, rewatchFloor, useFloor, watchFloor } from "./floor";

let host: ScriptedHost;
const asked = () => host.bodies("watch_floor").map(({ on }) => on);
const moment = () => Promise.resolve();

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  resetFloor();
});

it("counts who looks", async () => {
  const first = watchFloor();
  const second = watchFloor();
  await moment();
  first();
  first();
  await moment();
  expect(asked()).toEqual([true]);
  second();
  await moment();
  expect(asked()).toEqual([true, false]);
});

it("says nothing when one screen takes over from another", async () => {
  const first = watchFloor();
  await moment();
  first();
  const second = watchFloor();
  await moment();
  expect(asked()).toEqual([true]);
  second();
  await moment();
});

it("keeps the newest frame while somebody looks, and none after", async () => {
  const leave = watchFloor();
  await moment();
  applyFloor(floor({ waiting_total: 2 }));
  expect(useFloor.getState().floor?.waiting_total).toBe(2);
  leave();
  await moment();
  expect(useFloor.getState().floor).toBeNull();
  applyFloor(floor());
  expect(useFloor.getState().floor).toBeNull();
});

it("asks again when the core forgot, and says why it could not", async () => {
  const leave = watchFloor();
  await moment();
  host.refuse("watch_floor", { kind: "offline" });
  rewatchFloor();
  await vi.waitFor(() => expect(useFloor.getState().problem?.kind).toBe("offline"));
  expect(asked()).toEqual([true, true]);
  leave();
  await moment();
});
