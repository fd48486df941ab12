// The host inside the desktop shell: one command and one channel. The only file that may import
// Tauri's packages.

import { Channel, invoke } from "@tauri-apps/api/core";
import type { UiPush } from "../../../shared/bindings/ui/UiPush";
import type { UiReply } from "../../../shared/bindings/ui/UiReply";
import type { UiRequest } from "../../../shared/bindings/ui/UiRequest";
import { type Host, type HostLink, hostErrorFrom } from ".";

/** Whether this page runs inside the desktop shell. */
export function inTauri(): boolean {
  return "__TAURI_INTERNALS__" in window;
}

/** The host that talks to the shell. */
export function tauriHost(): Host {
  return {
    listen(onPush: (push: UiPush) => void, onLink: (link: HostLink) => void) {
      const channel = new Channel<UiPush>();
      channel.onmessage = onPush;
      invoke("listen", { channel }).then(
        () => onLink("up"),
        () => onLink("refused"),
      );
    },
    async request(request: UiRequest): Promise<UiReply> {
      try {
        return await invoke<UiReply>("ui", { request });
      } catch (error) {
        throw hostErrorFrom(error);
      }
    },
  };
}
