// The order in which things were written: what one tab wrote, over its reloads and over the death of
// its browser, as long as the storage carried it, is a chain, and stands everywhere in that order.

/** See the head of this file. */
export class Written {
  /** Every chain of texts, each in the order of writing. */
  chains = [];
  /** Those that a tab goes on with. */
  #of = new Map();

  add(tab, text) {
    if (!this.#of.has(tab)) this.#begin(tab, [[]]);
    for (const chain of this.#of.get(tab)) chain.push(text);
  }

  newest(tab) {
    return this.#of.get(tab)?.[0].at(-1);
  }

  /** What the tab writes from now on follows nothing. */
  breaksOff(tab) {
    this.#of.delete(tab);
  }

  /** The only tab of a browser that was killed goes on with whatever its storage has. */
  goesOn(tab, kept) {
    const left = this.chains.map((chain) => chain.filter((text) => kept.has(text)));
    this.#of.clear();
    this.#begin(tab, [[], ...left.filter((chain) => chain.length > 0)]);
  }

  #begin(tab, chains) {
    this.chains.push(...chains);
    this.#of.set(tab, chains);
  }
}

/** The first two texts of a chain that a list shows the other way round, in words; or null. */
export function disorder(chains, lists) {
  for (const list of lists) {
    const places = new Map(list.map((text, at) => [text, at]));
    for (const chain of chains) {
      const there = chain.filter((text) => places.has(text));
      const at = there.findIndex((text, nth) => {
        return nth > 0 && places.get(there[nth - 1]) > places.get(text);
      });
      if (at > 0) return `${there[at]} was written after ${there[at - 1]} and stands before it`;
    }
  }
  return null;
}
