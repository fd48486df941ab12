// What jsdom lacks and every component test needs.

import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

/** How long a test waits for what should come: only a defect takes as long, however busy the machine. */
const WAIT_MS = 60_000;
configure({ asyncUtilTimeout: WAIT_MS });
const waitFor = vi.waitFor.bind(vi);
vi.waitFor = (check, options) => waitFor(check, options ?? { timeout: WAIT_MS });

afterEach(cleanup);

class NoResize {
  observe() {}
  unobserve() {}
  disconnect() {}
}
window.ResizeObserver ??= NoResize;
window.IntersectionObserver ??= class extends NoResize {
  root = null;
  rootMargin = "";
  scrollMargin = "";
  thresholds = [];
  takeRecords() {
    return [];
  }
};
window.matchMedia ??= (query: string) =>
  ({
    matches: false,
    media: query,
    addEventListener() {},
    removeEventListener() {},
  }) as unknown as MediaQueryList;

HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};
