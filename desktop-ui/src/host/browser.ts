// The host in a plain browser: the headless client's socket on this computer. The one-use token
// comes in the address's fragment, is taken out of the address bar at once and exchanged for a
// session, which outlives a reload of this tab only. A request is never sent twice by itself: one
// that was under way when the socket broke is answered `host_lost`, and the state is read anew.

import type { UiPush } from "../../../shared/bindings/ui/UiPush";
import type { UiReply } from "../../../shared/bindings/ui/UiReply";
import type { UiRequest } from "../../../shared/bindings/ui/UiRequest";
import { type Host, HostError, type HostLink, hostErrorFrom } from ".";

const SESSION_KEY = "yingke.headless.session";
/** First pause between two tries; doubled up to the second, for a client that is starting again. */
const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 4_000;
/** Tries without one success before the person is told that the address is no longer good. */
const TRIES_BEFORE_REFUSED = 3;

type Answer =
  | { session: string }
  | { push: UiPush }
  | { id: number; reply: UiReply }
  | { id: number; error: unknown };

interface Waiting {
  resolve: (reply: UiReply) => void;
  reject: (error: HostError) => void;
}

const lost = () => new HostError({ kind: "host_lost", code: null, retry_after_ms: null });

/** Takes the token out of the address, so that neither history nor a screenshot keeps it. */
function takeToken(): string | null {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (token !== null) {
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  return token;
}

/** The host that talks to the headless client which served this page. */
export function browserHost(): Host {
  let token = takeToken();
  let socket: WebSocket | null = null;
  let ready = false;
  let nextId = 1;
  let retryMs = RETRY_MS_FIRST;
  let failures = 0;
  let onPush: (push: UiPush) => void = () => {};
  let onLink: (link: HostLink) => void = () => {};
  const waiting = new Map<number, Waiting>();
  const early: (() => void)[] = [];

  function accept(answer: Answer) {
    if ("push" in answer) {
      onPush(answer.push);
    } else if ("session" in answer) {
      window.sessionStorage.setItem(SESSION_KEY, answer.session);
      token = null;
      ready = true;
      failures = 0;
      retryMs = RETRY_MS_FIRST;
      onLink("up");
      for (const send of early.splice(0)) send();
    } else {
      const waiter = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ("reply" in answer) waiter?.resolve(answer.reply);
      else waiter?.reject(hostErrorFrom(answer.error));
    }
  }

  function closed() {
    socket = null;
    const wasReady = ready;
    ready = false;
    early.length = 0;
    for (const waiter of waiting.values()) waiter.reject(lost());
    waiting.clear();
    failures += wasReady ? 0 : 1;
    if (failures >= TRIES_BEFORE_REFUSED) onLink("refused");
    else onLink("lost");
    window.setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
  }

  function connect() {
    const session = window.sessionStorage.getItem(SESSION_KEY);
    if (token === null && session === null) {
      onLink("refused");
      return;
    }
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const opened = new WebSocket(`${scheme}://${window.location.host}/host`);
    socket = opened;
    opened.onopen = () => opened.send(JSON.stringify(token === null ? { session } : { token }));
    opened.onmessage = (event) => accept(JSON.parse(String(event.data)) as Answer);
    opened.onclose = closed;
  }

  return {
    listen(push, link) {
      onPush = push;
      onLink = link;
      onLink("connecting");
      connect();
    },
    request(request: UiRequest): Promise<UiReply> {
      return new Promise((resolve, reject) => {
        if (socket === null) {
          reject(lost());
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        const send = () => socket?.send(JSON.stringify({ id, request }));
        if (ready) send();
        else early.push(send);
      });
    },
  };
}
