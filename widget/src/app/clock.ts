// The time for waiting: silence, back-off, gaps. It never steps back, as a device's clock does when
// it is set, and it counts sleep, which `performance.now` alone does not in every browser. Times that
// are stored, compared between tabs or shown to people are the device's (`Date.now`), not these.

/** More than this between the two clocks is no inaccuracy. */
const APART_MS = 1_000;

/** A clock from one that may stand still in sleep and one that may be set. */
export function steadyClock(steady: () => number, device: () => number): () => number {
  let now = 0;
  let last = { steady: steady(), device: device() };
  return () => {
    const next = { steady: steady(), device: device() };
    const passed = next.steady - last.steady;
    const passed_there = next.device - last.device;
    now += passed_there > passed + APART_MS ? passed_there : passed;
    last = next;
    return now;
  };
}
