// Who the visitor is: a token in this document's storage, or a return ticket the host page kept, or
// somebody new. Asks the relay over HTTP. Never puts a secret into an address.

import type { ErrorCode, ReturnTicket, VisitorEntered, WireError } from "./protocol";
import type { SiteStorage } from "./storage";

/** The host page's door, for tickets. */
export interface TicketKeeper {
  /** Whether the host page keeps tickets, and whether it has one. */
  readonly keeps: boolean;
  readonly has: boolean;
  /** Asks for the kept ticket; empty if there is none. */
  ask(): Promise<string>;
  /** Gives a fresh one to keep. */
  give(ticket: string): void;
}

/** Why the relay did not let the visitor in. */
export class EnterRefused extends Error {
  readonly error: WireError | null;
  constructor(error: WireError | null) {
    super(error?.code ?? "unreachable");
    this.error = error;
  }
}

const TOKEN = "token";

/** All tabs wait behind the one that asks: as long as a link may take to open, not longer. */
const ANSWER_MAX_MS = 15_000;

async function post<Answer>(url: string, body: unknown, token: string | null): Promise<Answer> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  const giving_up = new AbortController();
  const timer = setTimeout(() => giving_up.abort(), ANSWER_MAX_MS);
  let error: WireError | null = null;
  try {
    const response = await fetch(url, {
      method: "POST",
      credentials: "omit",
      cache: "no-store",
      headers,
      body: JSON.stringify(body),
      signal: giving_up.signal,
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer as Answer;
    if ((answer as WireError | null)?.code !== undefined) error = answer as WireError;
  } catch {
    // No answer, or not one of the relay's.
  } finally {
    clearTimeout(timer);
  }
  throw new EnterRefused(error);
}

/** Runs `work` in one tab at a time where the browser can do that and lets this document. */
export function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = navigator;
  if (locks === undefined) return work();
  let has_begun = false;
  const begin = () => {
    has_begun = true;
    return work();
  };
  return locks.request(name, begin).catch((thrown: unknown) => {
    if (has_begun) throw thrown;
    return work();
  });
}

/** See the head of this file. */
export class Identity {
  readonly #site: string;
  readonly #storage: SiteStorage;
  readonly #tickets: TicketKeeper;

  constructor(site: string, storage: SiteStorage, tickets: TicketKeeper) {
    this.#site = site;
    this.#storage = storage;
    this.#tickets = tickets;
  }

  /** The visitor's token; `refused` is one that the relay no longer takes. */
  token(refused: string | null): Promise<string> {
    return alone(`yingke:${this.#site}:enter`, async () => {
      const kept = this.#storage.get(TOKEN);
      if (kept !== null && kept !== refused) {
        if (this.#tickets.keeps && !this.#tickets.has) void this.#refreshTicket(kept);
        return kept;
      }
      const ticket = this.#tickets.keeps ? await this.#tickets.ask() : "";
      const url = `/w/${this.#site}/visitor`;
      const entered = await post<VisitorEntered>(url, { ticket: ticket || null }, null);
      // Where tabs cannot wait for each other, the first one's token is everybody's.
      const meanwhile = this.#storage.get(TOKEN);
      if (meanwhile !== null && meanwhile !== kept) return meanwhile;
      this.#storage.set(TOKEN, entered.token);
      if (this.#tickets.keeps) void this.#refreshTicket(entered.token);
      return entered.token;
    });
  }

  /** Whether other tabs, and later pages, are this visitor too. */
  is_shared(token: string | null): boolean {
    return token !== null && this.#storage.holds(TOKEN, token);
  }

  /** The relay takes this token: it is kept, if none is and the storage can by now. */
  keep(token: string): void {
    if (!this.#storage.holds(TOKEN, null)) return;
    this.#storage.set(TOKEN, token);
  }

  async #refreshTicket(token: string): Promise<void> {
    try {
      const { ticket } = await post<ReturnTicket>(`/w/${this.#site}/ticket`, {}, token);
      this.#tickets.give(ticket);
    } catch {
      // Without a ticket the visitor is known only as long as this storage lasts.
    }
  }
}

/** Refusals of the door after which trying again by itself is of no use. */
export function isFinal(code: ErrorCode | undefined): boolean {
  return code === "site_disabled" || code === "not_found" || code === "forbidden";
}
