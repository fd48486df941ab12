// Drafts of the settings: dirty or not, saved against their version, in conflict, brought together.

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { CompanySettings } from "../../../shared/bindings/CompanySettings";
import { ownCard } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { called, SettingsRelay } from "../../testing/settingsRelay";
import { installHost } from "../host";
import { useAudit } from "./audit";
import { describeVisitor, useDryRun } from "./dryRun";
import { NEW, useForms, writeAgent } from "./forms";
import {
  discard,
  draftOf,
  edit,
  inConflict,
  loadSettings,
  mergeTheirs,
  save,
  showPage,
  useManage,
  useManagePage,
} from "./manage";
import { applySession } from "./session";

let host: ScriptedHost;
let relay: SettingsRelay;

const company = () => draftOf(useManage.getState().drafts, "company");
const kept = () => useManage.getState().settings?.company;
const type = (change: Partial<CompanySettings>) => {
  const now = company()?.value ?? kept()?.value;
  if (now !== undefined) edit("company", { ...now, ...change });
};
/** Somebody else saves. */
const theySave = (change: Partial<CompanySettings>) =>
  relay.put("company", { ...relay.held.company.value, ...change });

beforeEach(async () => {
  relay = new SettingsRelay();
  host = new ScriptedHost().on("call", relay.answer);
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
    const before = relay.held;
    host.on("call", async (body) => {
      if (body.call.type !== "get_settings") return relay.answer(body);
      await slow;
      return called({ type: "settings", body: before });
    });
    const reading = loadSettings();
    type({ grace_s: 90 });
    await save("company");
    late?.();
    await reading;
    expect(kept()).toMatchObject({ version: 4, value: { grace_s: 90 } });
  });
});

describe("another account", () => {
  const signIn = (id: string) =>
    applySession({ kind: "signed_in", server: "https://x.example", own: ownCard({ id }) });

  it("sees nothing of what the one before was doing, nor answers meant for it", async () => {
    signIn("agent-1");
    await loadSettings();
    type({ grace_s: 90 });
    showPage("agents", NEW);
    const form = { account: "dan", password: "correct-horse-9", nickname: "Dan" };
    writeAgent(NEW, { ...form, role: "agent", capacity: 8, departments: [], skills: [] });
    describeVisitor({ site: "site-1" });
    useAudit.setState({ hasEarlier: true, phase: "ready" });
    const saving = save("company");
    const reading = loadSettings();
    signIn("agent-2");
    await Promise.all([saving, reading]);
    expect(useManage.getState()).toMatchObject({ settings: null, drafts: {}, saved: null });
    expect(useForms.getState().agents).toEqual({});
    expect(useDryRun.getState().description.site).toBe("");
    expect(useAudit.getState().phase).toBe("loading");
    expect(useManagePage.getState()).toEqual({ page: "departments", entry: null });
    await loadSettings();
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
