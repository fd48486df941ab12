// The workbench's preferences. A change shows at once and is handed to the core a moment later, so
// that dragging a pane writes once.

import { create } from "zustand";
import type { Preferences } from "../../../shared/bindings/ui/Preferences";
import { problemOf, request } from "../host";
import { report } from "./notices";

/** Pause after the last change before it is written. */
const SAVE_AFTER_MS = 300;

/** Limits of the panes' widths, in pixels. */
export const LIST_WIDTH = { min: 240, max: 400 } as const;
/** See {@link LIST_WIDTH}. */
export const SIDE_WIDTH = { min: 280, max: 480 } as const;
/** The chat is never narrower; below it the side pane becomes a drawer. */
export const CHAT_WIDTH_MIN = 420;

interface PreferencesStore {
  preferences: Preferences;
}

/** As the person set them. */
export const usePreferences = create<PreferencesStore>(() => ({
  preferences: {
    locale: "",
    theme: "system",
    send_key: "enter",
    list_width: 288,
    side_width: 320,
    side_open: true,
    lists: {},
    alerts: {
      sound: true,
      volume: 60,
      notifications: true,
      message_text: true,
      do_not_disturb: false,
      quiet_hours: { on: false, from_min: 1320, to_min: 480 },
    },
  },
}));

let timer: number | undefined;
/** Changes on their way to the core: what it says meanwhile may be from before them. */
let underWay = 0;

/** The core's preferences; a change that it does not have yet wins. */
export function applyPreferences(preferences: Preferences): void {
  if (timer === undefined && underWay === 0) usePreferences.setState({ preferences });
}

async function save(): Promise<void> {
  timer = undefined;
  underWay += 1;
  try {
    await request("set_preferences", { preferences: usePreferences.getState().preferences });
  } catch (error) {
    report(problemOf(error), "workbench.preferences_not_saved");
  } finally {
    underWay -= 1;
  }
}

/** Hands a change over now: the window closes. */
export function flushPreferences(): void {
  if (timer === undefined) return;
  window.clearTimeout(timer);
  void save();
}

/** Changes some of them. */
export function setPreferences(change: Partial<Preferences>): void {
  const before = usePreferences.getState().preferences;
  usePreferences.setState({ preferences: { ...before, ...change } });
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void save(), SAVE_AFTER_MS);
}
