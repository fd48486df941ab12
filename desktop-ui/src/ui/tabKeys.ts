// The keys of a row of tabs: arrows go round, Home and End to its ends.

/** The place a key goes to from another; nothing for other keys. */
export function placeFor(key: string, at: number, count: number): number | undefined {
  return {
    ArrowRight: (at + 1) % count,
    ArrowLeft: (at + count - 1) % count,
    Home: 0,
    End: count - 1,
  }[key];
}
