// Draws a long table by and by: more rows when its end comes near the view.

import { type RefCallback, useCallback, useState } from "react";

const AT_ONCE = 60;
/** Drawn before they are seen. */
const AHEAD = "600px";

/** How many of all rows to draw, and a mark to stand behind the last of them while there are more. */
export function useMore(count: number): { shown: number; mark: RefCallback<HTMLElement> } {
  const [wanted, setWanted] = useState(AT_ONCE);
  const mark = useCallback((element: HTMLElement | null) => {
    if (element === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setWanted((now) => now + AT_ONCE);
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { shown: Math.min(count, wanted), mark };
}
