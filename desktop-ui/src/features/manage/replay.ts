// The figures of a replay as a report shows them: differences, and the heights of bars.

/** Less, more or the same: of two figures where less is better. */
export type Change = "better" | "worse" | "same";

/** Whether `then` is better than `now`. */
export function changeOf(now: number, then: number): Change {
  if (now === then) return "same";
  return then < now ? "better" : "worse";
}

/** The difference with its sign, in the words of `show`; nothing for none. */
export function difference(now: number, then: number, show: (of: number) => string): string {
  if (now === then) return "";
  return `${then > now ? "+" : "−"}${show(Math.abs(then - now))}`;
}

/** The largest figure of all series; at least 1. */
export function topOf(series: readonly (readonly number[])[]): number {
  return Math.max(1, ...series.flat());
}

/** The height of a figure's bar: what is not nothing can be seen. */
export function heightOf(value: number, top: number, height: number): number {
  return value <= 0 ? 0 : Math.max(1.5, (value / top) * height);
}
