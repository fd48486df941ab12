// Forms of single things: an account, a site. Each is begun from what there is, changed here, and sent
// as what is different; leaving the page and coming back finds it as it was left.

import { create } from "zustand";
import type { AddAgent } from "../../../shared/bindings/AddAgent";
import type { ChangeAgent } from "../../../shared/bindings/ChangeAgent";
import type { ChangeSite } from "../../../shared/bindings/ChangeSite";
import type { ColleagueCard } from "../../../shared/bindings/ColleagueCard";
import type { Role } from "../../../shared/bindings/Role";
import type { SiteSettings } from "../../../shared/bindings/SiteSettings";
import { call, type Problem, problemOf } from "../host";
import type { TextKey } from "../i18n";
import { loadAgents, useManagePage } from "./manage";
import { same } from "./same";
import { onAccountChange } from "./session";

/** An account as it is being written; account and password only for a new one. */
export interface AgentForm {
  account: string;
  password: string;
  nickname: string;
  role: Role;
  capacity: number;
  departments: readonly string[];
  skills: readonly string[];
}

/** A site as it is being written. */
export type SiteForm = Omit<SiteSettings, "id">;

/** A new thing's entry. */
export const NEW = "new";

interface FormsStore {
  /** By the thing's id, or {@link NEW}. */
  agents: Readonly<Record<string, AgentForm>>;
  sites: Readonly<Record<string, SiteForm>>;
  saving: boolean;
  problem: Problem | null;
  /** What was carried out last, said until the next change or another page. */
  said: TextKey | null;
}

const NONE: FormsStore = { agents: {}, sites: {}, saving: false, problem: null, said: null };

/** Forms begun and not yet sent. */
export const useForms = create<FormsStore>(() => NONE);

/** Another account sees nothing of them: a new account's password may stand there. */
onAccountChange(() => useForms.setState(NONE));

/** Says on the page that something was carried out. */
export function say(said: TextKey): void {
  useForms.setState({ said });
}

useManagePage.subscribe(() => useForms.setState({ problem: null, said: null }));

/** The capacity of a new account (B06). */
const CAPACITY_USUAL = 8;

/** The form of an account as it stands. */
export function agentFormOf(card: ColleagueCard | undefined, department: string): AgentForm {
  const none = { account: "", password: "" };
  if (card === undefined) {
    const departments = [department];
    const role = "agent" as const;
    return { ...none, nickname: "", role, capacity: CAPACITY_USUAL, departments, skills: [] };
  }
  const { role, capacity, departments, skills } = card;
  return { ...none, nickname: card.card.nickname, role, capacity, departments, skills };
}

/** What a form changes of an account; `null` for nothing. */
export function agentChange(card: ColleagueCard, form: AgentForm): ChangeAgent | null {
  const before = agentFormOf(card, "");
  const nickname = form.nickname.trim();
  const sorted = (ids: readonly string[]) => [...ids].sort();
  const change: ChangeAgent = {
    ...(nickname === before.nickname ? {} : { nickname }),
    ...(form.role === before.role ? {} : { role: form.role }),
    ...(form.capacity === before.capacity ? {} : { capacity: form.capacity }),
    ...(same(sorted(form.departments), sorted(before.departments))
      ? {}
      : { departments: [...form.departments] }),
    ...(same(sorted(form.skills), sorted(before.skills)) ? {} : { skills: [...form.skills] }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** What a form changes of a site; `null` for nothing. */
export function siteChange(site: SiteSettings, form: SiteForm): ChangeSite | null {
  const { id: _, ...before } = site;
  const change = Object.fromEntries(
    Object.entries(form).filter(([key, value]) => !same(value, before[key as keyof SiteForm])),
  );
  return Object.keys(change).length === 0 ? null : change;
}

/** What was typed into a form. */
export function writeAgent(id: string, form: AgentForm): void {
  useForms.setState(({ agents }) => ({
    agents: { ...agents, [id]: form },
    problem: null,
    said: null,
  }));
}

/** See {@link writeAgent}. */
export function writeSite(id: string, form: SiteForm): void {
  useForms.setState(({ sites }) => ({
    sites: { ...sites, [id]: form },
    problem: null,
    said: null,
  }));
}

/** Takes a form back. */
export function dropForm(of: "agents" | "sites", id: string): void {
  useForms.setState((state) => {
    const { [id]: _, ...others } = state[of];
    return { ...state, [of]: others, problem: null };
  });
}

async function send(ask: () => Promise<unknown>): Promise<boolean> {
  if (useForms.getState().saving) return false;
  useForms.setState({ saving: true, problem: null, said: null });
  try {
    await ask();
    return true;
  } catch (error) {
    useForms.setState({ problem: problemOf(error) });
    return false;
  } finally {
    useForms.setState({ saving: false });
  }
}

/** Adds an account; the answer is its id, if it was added. */
export async function addAgent(form: AgentForm): Promise<string | null> {
  const body: AddAgent = {
    account: form.account.trim(),
    password: form.password,
    nickname: form.nickname.trim(),
    role: form.role,
    capacity: form.capacity,
    departments: [...form.departments],
    skills: [...form.skills],
  };
  let id: string | null = null;
  const done = await send(async () => {
    id = (await call("add_agent", body)).id;
  });
  if (!done) return null;
  dropForm("agents", NEW);
  await loadAgents();
  return id;
}

/** Changes an account; the answer is whether it was. */
export async function changeAgent(agentId: string, change: ChangeAgent): Promise<boolean> {
  const done = await send(() => call("change_agent", { agent_id: agentId, change }));
  if (done) {
    dropForm("agents", agentId);
    await loadAgents();
  }
  return done;
}

/** Adds a site; the answer is its id, if it was added. The site itself arrives as a push. */
export async function addSite(form: SiteForm): Promise<string | null> {
  let id: string | null = null;
  const done = await send(async () => {
    const { name, domains } = form;
    id = (await call("add_site", { name: name.trim(), domains })).id;
  });
  if (done) dropForm("sites", NEW);
  return done ? id : null;
}

/** Changes a site; the answer is whether it was. */
export async function changeSite(siteId: string, change: ChangeSite): Promise<boolean> {
  const done = await send(() => call("change_site", { site_id: siteId, change }));
  if (done) dropForm("sites", siteId);
  return done;
}
