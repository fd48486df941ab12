// The keyboard goes into what opened over something else, and back when that closes.

import { type RefObject, useLayoutEffect } from "react";

/** Focuses the first button inside while it stands; then what had the focus before, if it lost it. */
export function useHeldFocus(inside: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const element = inside.current;
    const before = document.activeElement;
    element?.querySelector("button")?.focus();
    return () => {
      const isInside = element?.contains(document.activeElement) ?? false;
      if (isInside && before instanceof HTMLElement) before.focus();
    };
  }, [inside]);
}
