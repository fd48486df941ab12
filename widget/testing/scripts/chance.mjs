// Seeded chance: the same seed gives the same script.

/** Numbers from one seed (SplitMix32). */
export function chanceOf(seed) {
  let state = seed >>> 0;
  const draw = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const below = (end) => draw() % end;
  return { below, one: (all) => all[below(all.length)] };
}
