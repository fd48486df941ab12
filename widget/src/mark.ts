// The pine that greets visitors: three crowns to be filled, then trunk, branches and ground as
// strokes of `MARK_STROKE`, on a field of 64. Launcher and window draw the same.

export const MARK = [
  "M20 20c-1 0-2-1-2-3 0-2 2-4 5-4 1-4 5-6 9-6 4 0 7 2 9 5 3 0 6 2 6 5 0 2-1 3-3 3zM7 34c-2 0-3-1-3-2 0-3 2-5 6-5 1-3 4-4 7-4 3 0 6 2 7 4 2 1 4 2 4 4 0 2-1 3-3 3zM38 39c-1 0-2-1-2-2 0-2 2-4 4-4 1-3 4-5 7-5 4 0 6 2 8 5 2 0 4 2 4 4 0 1-1 2-2 2z",
  "M33 19c-2 7-1 12 1 17 1 5 1 11-2 18M19 34c5 0 10 2 14 6M45 39c-3 2-7 4-10 5M19 56h27",
] as const;

export const MARK_FIELD = "0 0 64 64";
export const MARK_STROKE = 4.2;
