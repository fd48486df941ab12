// Whether two values say the same. Pure.

/** Whether a value has named fields. */
export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether two values say the same, in whatever order their fields stand. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one, at) => same(one, b[at]));
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]))
  );
}

/** The later of two lists, with what is as it was before: who draws it need not draw it again. */
export function kept<T>(before: readonly T[], after: readonly T[], keyOf: (one: T) => string): T[] {
  const was = new Map(before.map((one) => [keyOf(one), one]));
  return after.map((one) => {
    const old = was.get(keyOf(one));
    return old !== undefined && same(old, one) ? old : one;
  });
}
