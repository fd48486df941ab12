// Sections of the settings as values: what somebody changed, and two people's changes brought together.
// Pure.

import type { Settings } from "../../../shared/bindings/Settings";
import type { SettingsSection } from "../../../shared/bindings/SettingsSection";
import { isMap, same } from "./same";

/** A section's name. */
export type SectionName = SettingsSection["name"];

/** What a section holds. */
export type ValueOf<S extends SectionName> = Settings[S]["value"];

type Plain = null | boolean | number | string | readonly unknown[] | { [key: string]: unknown };

/** A list whose entries have ids: departments, skills, rules. */
type Entries = readonly { id: string }[];

const isEntries = (value: unknown): value is Entries =>
  Array.isArray(value) && value.every((one) => isMap(one) && typeof one.id === "string");

const idsOf = (entries: Entries) => entries.map((one) => one.id);

/** One thing that is not as it was. */
export interface Change {
  how: "added" | "removed" | "changed" | "moved";
  /** An entry's id, or a field's name; empty for the order of all. */
  what: string;
}

/** What became different from one value of a section to the next. */
export function changesBetween(before: unknown, after: unknown): Change[] {
  if (isEntries(before) && isEntries(after)) {
    const was = new Map(before.map((one) => [one.id, one]));
    const is = new Map(after.map((one) => [one.id, one]));
    const changes: Change[] = [];
    for (const one of after) {
      const old = was.get(one.id);
      if (old === undefined) changes.push({ how: "added", what: one.id });
      else if (!same(old, one)) changes.push({ how: "changed", what: one.id });
    }
    for (const one of before) {
      if (!is.has(one.id)) changes.push({ how: "removed", what: one.id });
    }
    const stayed = (ids: string[]) => ids.filter((id) => was.has(id) && is.has(id));
    if (!same(stayed(idsOf(before)), stayed(idsOf(after)))) {
      changes.push({ how: "moved", what: "" });
    }
    return changes;
  }
  if (isMap(before) && isMap(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((key) => !same(before[key], after[key]))
      .map((what) => ({ how: "changed", what }));
  }
  return same(before, after) ? [] : [{ how: "changed", what: "" }];
}

/** Entries of mine and theirs; the order is mine if I changed it, and what is new stands where its
 * maker put it. */
function mergeEntries(from: Entries, mine: Entries, theirs: Entries): Entries {
  const was = new Map(from.map((one) => [one.id, one]));
  const ours = new Map(mine.map((one) => [one.id, one]));
  const others = new Map(theirs.map((one) => [one.id, one]));
  const keep = (id: string): { id: string } | undefined => {
    const old = was.get(id);
    const my = ours.get(id);
    const their = others.get(id);
    if (old === undefined) return my ?? their;
    if (same(my, old)) return their;
    if (same(their, old)) return my;
    // Both touched it: mine wins, and what I removed stays removed only if they left it alone.
    return my ?? their;
  };
  const mineMoved = changesBetween(from, mine).some(({ how }) => how === "moved");
  const [first, second] = mineMoved ? [mine, theirs] : [theirs, mine];
  const order = idsOf(first);
  const rest = idsOf(second);
  const nearestBefore = (ids: string[], id: string) =>
    ids
      .slice(0, Math.max(0, ids.indexOf(id)))
      .reverse()
      .find((one) => order.includes(one));
  for (const id of rest) {
    if (order.includes(id)) continue;
    const before = nearestBefore(rest, id) ?? nearestBefore(idsOf(from), id);
    order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, id);
  }
  return order.map(keep).filter((one): one is { id: string } => one !== undefined);
}

/** My changes upon theirs: what only one of us changed is taken from that one; where both did, mine
 * stands. */
export function mergeChanges<T extends Plain | object>(from: T, mine: T, theirs: T): T {
  if (same(mine, from)) return theirs;
  if (same(theirs, from)) return mine;
  if (isEntries(from) && isEntries(mine) && isEntries(theirs)) {
    return mergeEntries(from, mine, theirs) as unknown as T;
  }
  if (isMap(from) && isMap(mine) && isMap(theirs)) {
    const keys = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
    const merged: Record<string, unknown> = {};
    for (const key of keys) {
      const value = same(mine[key], from[key]) ? theirs[key] : mine[key];
      if (value !== undefined) merged[key] = value;
    }
    return merged as T;
  }
  return mine;
}
