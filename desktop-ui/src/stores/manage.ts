// The settings as the relay has them, and what an admin is changing. Each section has at most one
// draft, made from a version; it outlives leaving the page, and nobody else's change takes it away.
// A draft whose version is no longer the relay's is in conflict: it is shown, never resolved silently.

import { create } from "zustand";
import type { ColleagueCard } from "../../../shared/bindings/ColleagueCard";
import type { SaveSettings } from "../../../shared/bindings/SaveSettings";
import type { Settings } from "../../../shared/bindings/Settings";
import { call, type Problem, problemOf } from "../host";
import { useCompany } from "./company";
import { same } from "./same";
import { mergeChanges, type SectionName, type ValueOf } from "./sections";
import { onAccountChange } from "./session";

/** A section being changed. */
export interface Draft<S extends SectionName> {
  /** The version it was made from, */
  base: number;
  /** with this value. */
  from: ValueOf<S>;
  value: ValueOf<S>;
  saving: boolean;
  /** Why it was not saved. */
  problem: Problem | null;
}

type Drafts = { [S in SectionName]?: Draft<S> };

interface ManageStore {
  /** `null` before they were read. */
  settings: Settings | null;
  /** Everybody, disabled accounts too. */
  agents: readonly ColleagueCard[];
  /** Why they could not be read. */
  problem: Problem | null;
  drafts: Drafts;
  /** The section saved last: its page says so. */
  saved: SectionName | null;
}

const NONE: ManageStore = {
  settings: null,
  agents: [],
  problem: null,
  drafts: {},
  saved: null,
};

/** The settings and what is being changed of them. */
export const useManage = create<ManageStore>(() => NONE);

/** A draft that says what the relay has is none. */
function tidy(settings: Settings, drafts: Drafts): Drafts {
  const kept: Drafts = {};
  for (const name of Object.keys(drafts) as SectionName[]) {
    const draft = drafts[name];
    if (draft !== undefined && !same(draft.value, settings[name].value)) {
      Object.assign(kept, { [name]: draft });
    }
  }
  return kept;
}

/** Questions asked, and the newest of them that was answered, of each kind. */
let askedSoFar = 0;
const answeredLast = { settings: 0, agents: 0 };
/** Counts the accounts that were signed in. */
let account = 0;

/** An answer to a question that was asked before another one answered already is an older truth. */
function isNews(of: keyof typeof answeredLast, question: number): boolean {
  if (question < answeredLast[of]) return false;
  answeredLast[of] = question;
  return true;
}

function putSettings(settings: Settings, question: number): void {
  if (!isNews("settings", question)) return;
  useManage.setState(({ drafts }) => ({
    settings,
    problem: null,
    drafts: tidy(settings, drafts),
  }));
}

function putDraft<S extends SectionName>(section: S, draft: Draft<S> | undefined): void {
  useManage.setState(({ drafts }) => {
    const next = { ...drafts };
    delete next[section];
    return { drafts: draft === undefined ? next : { ...next, [section]: draft } };
  });
}

/** The draft of a section, if it is being changed. */
export function draftOf<S extends SectionName>(drafts: Drafts, section: S): Draft<S> | undefined {
  return drafts[section] as Draft<S> | undefined;
}

/** Whether somebody else saved the section after the draft was begun. */
export function inConflict<S extends SectionName>(
  settings: Settings,
  section: S,
  draft: Draft<S> | undefined,
): boolean {
  return draft !== undefined && draft.base !== settings[section].version;
}

/** Reads everything. */
export async function loadSettings(): Promise<void> {
  const question = ++askedSoFar;
  try {
    const [settings, { agents }] = await Promise.all([
      call("get_settings", {}),
      call("list_agents", {}),
    ]);
    putSettings(settings, question);
    if (isNews("agents", question)) useManage.setState({ agents });
  } catch (error) {
    if (question >= answeredLast.settings) useManage.setState({ problem: problemOf(error) });
  }
}

/** Reads the accounts again. */
export async function loadAgents(): Promise<void> {
  const question = ++askedSoFar;
  try {
    const { agents } = await call("list_agents", {});
    if (isNews("agents", question)) useManage.setState({ agents });
  } catch (error) {
    if (question >= answeredLast.agents) useManage.setState({ problem: problemOf(error) });
  }
}

/** What was typed into a section. */
export function edit<S extends SectionName>(section: S, value: ValueOf<S>): void {
  const { settings, drafts } = useManage.getState();
  if (settings === null) return;
  const { version, value: now } = settings[section];
  const draft = draftOf(drafts, section);
  const base = draft?.base ?? version;
  useManage.setState({ saved: null });
  if (base === version && same(value, now)) putDraft(section, undefined);
  else {
    const from = draft?.from ?? (now as ValueOf<S>);
    putDraft(section, { base, from, value, saving: draft?.saving ?? false, problem: null });
  }
}

/** Takes back what was typed. */
export function discard(section: SectionName): void {
  putDraft(section, undefined);
}

/** Puts what was typed upon what somebody else saved meanwhile; the person then saves it. */
export function mergeTheirs<S extends SectionName>(section: S): void {
  const { settings, drafts } = useManage.getState();
  const draft = draftOf(drafts, section);
  if (settings === null || draft === undefined) return;
  const { version } = settings[section];
  const theirs = settings[section].value as ValueOf<S>;
  const value = mergeChanges<ValueOf<S>>(draft.from, draft.value, theirs);
  putDraft(section, undefined);
  if (!same(value, theirs)) {
    putDraft(section, { base: version, from: theirs, value, saving: false, problem: null });
  }
}

/** Saves a section; the answer is whether it is saved. What is typed meanwhile stays a draft. */
export async function save<S extends SectionName>(section: S): Promise<boolean> {
  const draft = draftOf(useManage.getState().drafts, section);
  if (draft === undefined || draft.saving) return draft === undefined;
  const sent = draft.value;
  const question = ++askedSoFar;
  const asker = account;
  putDraft(section, { ...draft, saving: true, problem: null });
  try {
    const body = { base: draft.base, section: { name: section, value: sent } };
    const settings = await call("save_settings", body as SaveSettings);
    if (asker !== account) return true;
    const now = draftOf(useManage.getState().drafts, section);
    if (now === undefined || same(now.value, sent)) putDraft(section, undefined);
    else {
      const { version } = settings[section];
      putDraft(section, { ...now, base: version, from: sent, saving: false });
    }
    putSettings(settings, question);
    useManage.setState({ saved: section });
    return true;
  } catch (error) {
    const problem = problemOf(error);
    const now = draftOf(useManage.getState().drafts, section);
    if (now !== undefined) putDraft(section, { ...now, saving: false, problem });
    if (problem.code === "changed") await loadSettings();
    return false;
  }
}

/** Another account: what was asked for the one before is answered too late. */
onAccountChange(() => {
  account += 1;
  askedSoFar += 1;
  answeredLast.settings = askedSoFar;
  answeredLast.agents = askedSoFar;
  useManage.setState(NONE);
  useManagePage.setState(FIRST_PAGE);
});

/** Somebody changed the company's settings, seen here or not: what is held of them is read again. */
useCompany.subscribe(({ company }, before) => {
  if (useManage.getState().settings !== null && company !== before.company) void loadSettings();
});

/** A page of the management centre. */
export type ManagePage =
  | "company"
  | "sites"
  | "departments"
  | "rules"
  | "replay"
  | "prompts"
  | "auto_replies"
  | "agents"
  | "skills"
  | "audit";

interface PageStore {
  page: ManagePage;
  /** The entry a page of entries shows alone: a department's or an agent's id. */
  entry: string | null;
}

const FIRST_PAGE: PageStore = { page: "departments", entry: null };

/** Where the management centre stands; it is left and found again as it was. */
export const useManagePage = create<PageStore>(() => FIRST_PAGE);

/** Opens a page, optionally at one of its entries. */
export function showPage(page: ManagePage, entry: string | null = null): void {
  useManagePage.setState({ page, entry });
}
