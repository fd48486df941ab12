// The device's clock for what is drawn: looked at each second, and only while it is needed.

import { useEffect, useState } from "preact/hooks";

/** The time, looked at each second while `is_running`. */
export function useSeconds(is_running: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!is_running) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [is_running]);
  return is_running ? Math.max(now, Date.now()) : now;
}

/** What passes sooner is not worth a word. */
export const LASTING_MS = 1_500;

/** Whether something has lasted: what passes at once is never drawn. */
export function useLasting(is_so: boolean, after: number): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    setLasts(false);
    if (!is_so) return;
    const timer = setTimeout(() => setLasts(true), after);
    return () => clearTimeout(timer);
  }, [is_so, after]);
  return is_so && lasts;
}
