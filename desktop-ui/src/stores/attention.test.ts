// What asks for attention: each sound is played once, the title asks until somebody looks, a click on a
// notification opens its conversation wherever one is.

import { beforeEach, describe, expect, it } from "vitest";
import { chat } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { followClicks, looking, resetAttention, useAttention } from "./attention";
import { resetChat, useChat } from "./chat";
import { showModule, useModules } from "./modules";
import { applyPush } from "./pushes";

let host: ScriptedHost;

function told(level: "calm" | "warn" | "alarm", sound = true) {
  const body = { conversation_id: "c1", kind: "message", level, sound } as const;
  applyPush({ type: "attention", body });
}

beforeEach(async () => {
  host = new ScriptedHost()
    .on("looking", () => ({ type: "done", body: {} }))
    .on("open_conversation", ({ conversation_id }) => ({
      type: "chat",
      body: chat({ conversation_id }),
    }));
  installHost(host);
  resetAttention();
  resetChat();
  await looking(false);
});

describe("attention", () => {
  it("rings once for each sound, and not for what is silent", () => {
    told("calm");
    const first = useAttention.getState().ring;
    expect(first?.level).toBe("calm");
    told("warn", false);
    expect(useAttention.getState().ring).toBe(first);
    told("calm");
    expect(useAttention.getState().ring?.number).not.toBe(first?.number);
  });

  it("asks in the title for the most urgent until somebody looks", async () => {
    told("alarm");
    told("calm");
    expect(useAttention.getState().asking).toBe("alarm");
    await looking(true);
    expect(useAttention.getState().asking).toBeNull();
    told("calm");
    expect(useAttention.getState().asking).toBeNull();
    expect(host.bodies("looking").at(-1)).toEqual({ focused: true });
  });

  it("opens the conversation whose notification was clicked", () => {
    const stop = followClicks();
    showModule("floor");
    window.dispatchEvent(new CustomEvent("yingke:open", { detail: "c7" }));
    expect(useModules.getState().module).toBe("reception");
    expect(useChat.getState().conversationId).toBe("c7");
    stop();
    window.dispatchEvent(new CustomEvent("yingke:open", { detail: "c8" }));
    expect(useChat.getState().conversationId).toBe("c7");
  });
});
