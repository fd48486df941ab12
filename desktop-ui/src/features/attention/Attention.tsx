// Plays what the core tells, says whether a person looks at the window, and follows clicks on
// notifications of the system. It draws nothing.

import { useEffect } from "react";
import { followClicks, looking, useAttention } from "../../stores/attention";
import { usePreferences } from "../../stores/preferences";
import { useSession } from "../../stores/session";
import { useFocused } from "../../ui/useFocused";
import { play } from "./sound";

export function Attention() {
  const focused = useFocused();
  const session = useSession((state) => state.session);
  const ring = useAttention((state) => state.ring);

  // With every new state the core may be another one that was not told.
  // biome-ignore lint/correctness/useExhaustiveDependencies: told again for a new session
  useEffect(() => void looking(focused), [focused, session]);
  useEffect(() => followClicks(), []);
  useEffect(() => {
    if (ring !== null) void play(ring.level, usePreferences.getState().preferences.alerts.volume);
  }, [ring]);
  return null;
}
