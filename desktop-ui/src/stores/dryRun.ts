// The test run of the routing rules: a visitor described by hand, and what would happen to that
// visitor now. It touches no real conversation.

import { create } from "zustand";
import type { DryRun } from "../../../shared/bindings/DryRun";
import type { DryRunAnswer } from "../../../shared/bindings/DryRunAnswer";
import type { NumberOf } from "../../../shared/bindings/NumberOf";
import type { TextOf } from "../../../shared/bindings/TextOf";
import { call, type Problem, problemOf } from "../host";
import { onAccountChange } from "./session";

/** A visitor as described: empty for what is not known. */
export interface Description {
  site: string;
  texts: Partial<Record<TextOf, string>>;
  fields: readonly { name: string; value: string }[];
  numbers: Partial<Record<NumberOf, number>>;
  returning: boolean;
  identified: boolean;
  vip: boolean;
  department: string;
  agent: string;
  lastAgent: string;
}

const NOBODY: Description = {
  site: "",
  texts: {},
  fields: [],
  numbers: {},
  returning: false,
  identified: false,
  vip: false,
  department: "",
  agent: "",
  lastAgent: "",
};

interface DryRunStore {
  description: Description;
  running: boolean;
  answer: DryRunAnswer | null;
  problem: Problem | null;
}

const NOTHING: DryRunStore = { description: NOBODY, running: false, answer: null, problem: null };

/** The description and the last answer. */
export const useDryRun = create<DryRunStore>(() => NOTHING);

onAccountChange(() => useDryRun.setState({ ...NOTHING, description: { ...NOBODY } }));

/** Describes the visitor; the answer to another description is taken away. */
export function describeVisitor(change: Partial<Description>): void {
  useDryRun.setState(({ description }) => ({
    description: { ...description, ...change },
    answer: null,
    problem: null,
  }));
}

/** The description as it is asked: what is empty is left out. */
export function dryRunOf(description: Description): DryRun {
  const { site, department, agent, lastAgent, returning, identified, vip } = description;
  const texts = Object.entries(description.texts)
    .map(([of, text]) => [of, text.trim()] as const)
    .filter(([, text]) => text !== "");
  const fields = description.fields
    .map(({ name, value }) => [name.trim(), value.trim()] as const)
    .filter(([name, value]) => name !== "" && value !== "");
  return {
    ...(site === "" ? {} : { site_id: site }),
    texts: Object.fromEntries(texts),
    fields: Object.fromEntries(fields),
    numbers: { ...description.numbers },
    returning,
    identified,
    vip,
    ...(department === "" ? {} : { department_id: department }),
    ...(agent === "" ? {} : { agent_id: agent }),
    ...(lastAgent === "" ? {} : { last_agent_id: lastAgent }),
  };
}

/** Asks what would happen. */
export async function runDry(): Promise<void> {
  const { description, running } = useDryRun.getState();
  if (running) return;
  useDryRun.setState({ running: true, problem: null });
  try {
    const answer = await call("dry_run", dryRunOf(description));
    if (useDryRun.getState().description === description) useDryRun.setState({ answer });
  } catch (error) {
    if (useDryRun.getState().description === description) {
      useDryRun.setState({ problem: problemOf(error), answer: null });
    }
  } finally {
    useDryRun.setState({ running: false });
  }
}

/** Takes the answer away: what it was said of has changed. */
export function forgetDryRun(): void {
  useDryRun.setState({ answer: null, problem: null });
}
