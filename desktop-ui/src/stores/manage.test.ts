// Drafts of the settings: dirty or not, saved against their version, in conflict, brought together.

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { CompanySettings } from "../../../shared/bindings/CompanySettings";
import type { Settings } from "../../../shared/bindings/Settings";
import type { RelayCall } from "../../../shared/bindings/ui/RelayCall";
import { ScriptedHost } from "../../testing/scriptedHost";
import { settings as example } from "../../testing/settings";
import { HostError, installHost } from "../host";
import {
  discard,
  draftOf,
  edit,
  inConflict,
  loadSettings,
  mergeTheirs,
  save,
  useManage,
} from "./manage";

let host: ScriptedHost;
/** What the relay has. */
let held: Settings;

/** A relay that keeps sections and their versions as the real one does. */
function answer({ call }: { call: RelayCall }) {
  const called = (body: unknown) => ({ type: "called" as const, body: { answer: body } }) as never;
  if (call.type === "list_agents") return called({ type: "agents", body: { agents: [] } });
  if (call.type === "save_settings") {
    const { base, section } = call.body;
    const { version } = held[section.name];
    if (version !== base) {
      throw new HostError({ kind: "refused", code: "changed", retry_after_ms: null });
    }
    held = { ...held, [section.name]: { version: version + 1, value: section.value } };
  }
  return called({ type: "settings", body: held });
}

const company = () => draftOf(useManage.getState().drafts, "company");
const kept = () => useManage.getState().settings?.company;
const type = (change: Partial<CompanySettings>) => {
  const now = company()?.value ?? kept()?.value;
  if (now !== undefined) edit("company", { ...now, ...change });
};
/** Somebody else saves. */
const theySave = (change: Partial<CompanySettings>) => {
  const { version, value } = held.company;
  held = { ...held, company: { version: version + 1, value: { ...value, ...change } } };
};

beforeEach(async () => {
  held = example();
  host = new ScriptedHost().on("call", answer);
  installHost(host);
  useManage.setState({ settings: null, drafts: {}, saved: null, problem: null });
  await loadSettings();
});

describe("a draft", () => {
  it("begins with the first difference and goes when everything is as it was", () => {
    expect(company()).toBeUndefined();
    type({ grace_s: 90 });
    expect(company()).toMatchObject({ base: 3, value: { grace_s: 90 } });
    type({ grace_s: 60 });
    expect(company()).toBeUndefined();
  });

  it("is saved against its version, and is gone", async () => {
    type({ grace_s: 90 });
    expect(await save("company")).toBe(true);
    expect(host.bodies("call").at(-1)?.call).toMatchObject({
      type: "save_settings",
      body: { base: 3, section: { name: "company", value: { grace_s: 90 } } },
    });
    expect(company()).toBeUndefined();
    expect(kept()).toMatchObject({ version: 4, value: { grace_s: 90 } });
    expect(useManage.getState().saved).toBe("company");
  });

  it("keeps what is typed while it is being saved", async () => {
    type({ grace_s: 90 });
    const saving = save("company");
    type({ invitation_s: 120 });
    await saving;
    expect(company()).toMatchObject({ base: 4, saving: false });
    expect(company()?.value).toMatchObject({ grace_s: 90, invitation_s: 120 });
  });

  it("stays when the relay refuses, with the reason", async () => {
    host.refuse("call", { code: "invalid" });
    type({ zone: "Mars/Olympus" });
    expect(await save("company")).toBe(false);
    expect(company()).toMatchObject({ saving: false, problem: { code: "invalid" } });
    expect(company()?.value.zone).toBe("Mars/Olympus");
  });

  it("is taken back whole", () => {
    type({ grace_s: 90 });
    discard("company");
    expect(company()).toBeUndefined();
  });
});

describe("answers", () => {
  it("that were overtaken by a later one change nothing", async () => {
    let late: (() => void) | undefined;
    const slow = new Promise<void>((resolve) => {
      late = resolve;
    });
    const before = held;
    host.on("call", async (body) => {
      if (body.call.type !== "get_settings") return answer(body);
      await slow;
      return { type: "called", body: { answer: { type: "settings", body: before } } };
    });
    const reading = loadSettings();
    type({ grace_s: 90 });
    await save("company");
    late?.();
    await reading;
    expect(kept()).toMatchObject({ version: 4, value: { grace_s: 90 } });
  });
});

describe("somebody else's change", () => {
  it("reaches an untouched section, and is a conflict for a touched one", async () => {
    theySave({ zone: "Asia/Tokyo" });
    await loadSettings();
    expect(kept()?.value.zone).toBe("Asia/Tokyo");
    expect(company()).toBeUndefined();

    type({ grace_s: 90 });
    theySave({ zone: "UTC" });
    expect(await save("company")).toBe(false);
    const { settings } = useManage.getState();
    expect(settings !== null && inConflict(settings, "company", company())).toBe(true);
    expect(company()?.value.grace_s).toBe(90);
  });

  it("comes together with mine and can then be saved", async () => {
    type({ grace_s: 90 });
    theySave({ zone: "UTC" });
    await save("company");
    mergeTheirs("company");
    expect(company()).toMatchObject({ base: 4, value: { grace_s: 90, zone: "UTC" } });
    expect(await save("company")).toBe(true);
    expect(kept()).toMatchObject({ version: 5, value: { grace_s: 90, zone: "UTC" } });
  });

  it("that is the same as mine leaves no draft", async () => {
    type({ grace_s: 90 });
    theySave({ grace_s: 90 });
    await loadSettings();
    await vi.waitFor(() => expect(company()).toBeUndefined());
  });
});
