// Lists as values: moved, replaced, left out; and seconds in the unit people say them in.

/** The list with one entry at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [one] = next.splice(from, 1);
  if (one !== undefined) next.splice(Math.max(0, Math.min(to, next.length)), 0, one);
  return next;
}

/** The list with another entry at a place. */
export function replaced<T>(list: readonly T[], at: number, one: T): T[] {
  return list.map((old, index) => (index === at ? one : old));
}

/** The list without the entry at a place. */
export function without<T>(list: readonly T[], at: number): T[] {
  return list.filter((_, index) => index !== at);
}

/** Seconds in each unit. */
export const UNITS = { s: 1, min: 60, h: 3_600 } as const;
/** See {@link UNITS}. */
export type Unit = keyof typeof UNITS;

/** The largest unit in which a length is a whole number; nothing is seconds. */
export function unitFor(seconds: number): Unit {
  if (seconds === 0) return "s";
  if (seconds % UNITS.h === 0) return "h";
  return seconds % UNITS.min === 0 ? "min" : "s";
}

/** A length in whole seconds, kept inside its bounds. */
export function secondsIn(count: number, unit: Unit, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.round(count * UNITS[unit])));
}

/** Characters as the relay counts them. */
export function length(text: string): number {
  return [...text].length;
}
