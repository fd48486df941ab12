// The headless client's socket as the page meets it: token to session, requests and their answers,
// pushes, a broken link, and an address that is no longer good. The socket is the world's edge, so
// it is scripted here.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { UiPush } from "../../../shared/bindings/ui/UiPush";
import type { HostLink } from ".";
import { browserHost } from "./browser";

class ScriptedSocket {
  static opened: ScriptedSocket[] = [];
  readonly sent: Record<string, unknown>[] = [];
  onopen: () => void = () => {};
  onmessage: (event: { data: string }) => void = () => {};
  onclose: () => void = () => {};

  constructor(readonly url: string) {
    ScriptedSocket.opened.push(this);
  }

  send(frame: string) {
    this.sent.push(JSON.parse(frame) as Record<string, unknown>);
  }

  says(frame: unknown) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}

const socket = (index = -1) => {
  const found = ScriptedSocket.opened.at(index);
  if (found === undefined) throw new Error("no socket was opened");
  return found;
};

function begin() {
  const host = browserHost();
  const links: HostLink[] = [];
  const pushes: UiPush[] = [];
  host.listen(
    (push) => pushes.push(push),
    (link) => links.push(link),
  );
  return { host, links, pushes };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", ScriptedSocket);
  ScriptedSocket.opened = [];
  window.sessionStorage.clear();
  window.history.replaceState(null, "", "/?x=1#token=secret");
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the browser host", () => {
  it("takes the token out of the address and turns it into a session", () => {
    const { links } = begin();
    expect(window.location.href).not.toContain("secret");
    expect(window.location.search).toBe("?x=1");
    expect(socket().url).toBe(`ws://${window.location.host}/host`);
    socket().onopen();
    expect(socket().sent).toEqual([{ token: "secret" }]);
    socket().says({ session: "s1" });
    expect(links).toEqual(["connecting", "up"]);
    expect(window.sessionStorage.getItem("yingke.headless.session")).toBe("s1");
  });

  it("gives each request its own answer, and pushes theirs", async () => {
    const { host, pushes } = begin();
    const early = host.request({ type: "get_state", body: {} });
    socket().onopen();
    expect(socket().sent).toHaveLength(1);
    socket().says({ session: "s1" });
    const refused = host.request({ type: "sign_out", body: {} });
    expect(socket().sent.slice(1)).toEqual([
      { id: 1, request: { type: "get_state", body: {} } },
      { id: 2, request: { type: "sign_out", body: {} } },
    ]);
    socket().says({ id: 2, error: { kind: "offline", code: null, retry_after_ms: null } });
    socket().says({ push: { type: "preview", body: { conversation_id: "c", text: "t" } } });
    socket().says({ id: 1, reply: { type: "done", body: {} } });
    await expect(early).resolves.toEqual({ type: "done", body: {} });
    await expect(refused).rejects.toMatchObject({ problem: { kind: "offline" } });
    expect(pushes).toHaveLength(1);
  });

  it("comes back by its session, and never sends a request twice by itself", async () => {
    const { host, links } = begin();
    socket().onopen();
    socket().says({ session: "s1" });
    const under_way = host.request({ type: "sign_out", body: {} });
    socket().onclose();
    await expect(under_way).rejects.toMatchObject({ problem: { kind: "host_lost" } });
    await expect(host.request({ type: "get_state", body: {} })).rejects.toMatchObject({
      problem: { kind: "host_lost" },
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ScriptedSocket.opened).toHaveLength(2);
    socket().onopen();
    socket().says({ session: "s1" });
    expect(socket().sent).toEqual([{ session: "s1" }]);
    expect(links).toEqual(["connecting", "up", "lost", "up"]);
  });

  it("says so when the address is no longer good, and goes on trying", async () => {
    const { links } = begin();
    for (let tries = 0; tries < 3; tries++) {
      socket().onopen();
      socket().onclose();
      await vi.advanceTimersByTimeAsync(4_000);
    }
    expect(links.at(-1)).toBe("refused");
    socket().onopen();
    socket().says({ session: "s1" });
    expect(links.at(-1)).toBe("up");
  });

  it("without token and session has nothing to try", () => {
    window.history.replaceState(null, "", "/");
    const { links } = begin();
    expect(links).toEqual(["connecting", "refused"]);
    expect(ScriptedSocket.opened).toHaveLength(0);
  });
});
