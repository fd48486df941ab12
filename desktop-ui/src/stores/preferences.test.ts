// Preferences show at once, are written once, and what the core said before them takes none back.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { uiState } from "../../testing/examples";
import { done, ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { setPreferences, usePreferences } from "./preferences";
import { start } from "./pushes";
import { useSession } from "./session";

let host: ScriptedHost;

async function signedIn() {
  host.on("get_state", () => ({ type: "state", body: uiState() }));
  start();
  host.setLink("up");
  await vi.waitFor(() => expect(useSession.getState().session?.kind).toBe("signed_in"));
}

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
});

describe("preferences", () => {
  it("that are on their way win over what the core said before it had them", async () => {
    await signedIn();
    vi.useFakeTimers();
    let heard: (() => void) | undefined;
    const way = new Promise<void>((resolve) => {
      heard = resolve;
    });
    host.on("set_preferences", async () => {
      await way;
      return done;
    });
    setPreferences({ side_width: 400 });
    vi.advanceTimersByTime(1_000);
    host.push({ type: "state", body: uiState() });
    expect(usePreferences.getState().preferences.side_width).toBe(400);
    heard?.();
    vi.useRealTimers();
    await vi.waitFor(() => {
      host.push({ type: "state", body: uiState() });
      expect(usePreferences.getState().preferences.side_width).toBe(
        uiState().preferences.side_width,
      );
    });
  });

  it("are handed over at once when the window closes", async () => {
    await signedIn();
    setPreferences({ side_width: 420 });
    window.dispatchEvent(new Event("pagehide"));
    expect(host.bodies("set_preferences").at(-1)?.preferences.side_width).toBe(420);
  });

  it("show at once and are written once", async () => {
    vi.useFakeTimers();
    try {
      setPreferences({ list_width: 300 });
      setPreferences({ list_width: 310 });
      expect(usePreferences.getState().preferences.list_width).toBe(310);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(host.bodies("set_preferences").map((one) => one.preferences.list_width)).toEqual([
        310,
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});
