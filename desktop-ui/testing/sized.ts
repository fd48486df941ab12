// Sizes for jsdom, which lays nothing out: virtual lists draw what fits into a view of this height.

import { afterEach, beforeEach, vi } from "vitest";

const SIZE = { width: 320, height: 800 };

/** Every observed element has a size. */
export function withSizes(): void {
  beforeEach(() => {
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(
          private readonly tell: (entries: { target: Element; contentRect: typeof SIZE }[]) => void,
        ) {}
        observe(target: Element) {
          // As browsers do: after the code that began to observe.
          queueMicrotask(() => this.tell([{ target, contentRect: SIZE }]));
        }
        unobserve() {}
        disconnect() {}
      },
    );
    vi.spyOn(HTMLElement.prototype, "offsetParent", "get").mockReturnValue(document.body);
  });
  afterEach(() => vi.unstubAllGlobals());
}
