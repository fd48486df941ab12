// The iframe's door to the host page. Only the parent window is heard; its origin is taken from its
// first valid message (the document's frame-ancestors let in nobody but the site's own pages) and
// never changes afterwards. On the chat link's full page there is no host, and nothing happens.

import { type HostPage, readToFrame, seal, type ToFrame, type ToHost } from "../host/messages";
import type { TicketKeeper } from "./identity";

type Init = ToFrame & { type: "init" };

const TICKET_WITHIN_MS = 1_500;

/** What the app is told. */
export interface HostListener {
  init(message: Init): void;
  shown(message: ToFrame & { type: "shown" }): void;
  locale(tag: string): void;
}

/** See the head of this file. */
export class HostDoor implements TicketKeeper {
  keeps = false;
  has = false;
  page: HostPage | null = null;
  readonly #window: Window;
  #origin: string | null = null;
  #waiting: ((ticket: string) => void) | null = null;

  constructor(window: Window) {
    this.#window = window;
  }

  /** Listens, and says that the app is there. */
  open(listener: HostListener): void {
    this.#window.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.source !== this.#window.parent) return;
      if (this.#origin !== null && event.origin !== this.#origin) return;
      const message = readToFrame(event.data);
      if (message === null) return;
      this.#origin = event.origin;
      this.#take(message, listener);
    });
    this.#window.parent.postMessage(seal({ type: "ready" }), "*");
  }

  tell(message: ToHost): void {
    if (this.#origin !== null) this.#window.parent.postMessage(seal(message), this.#origin);
  }

  ask(): Promise<string> {
    if (!this.has) return Promise.resolve("");
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#window.setTimeout(() => resolve(""), TICKET_WITHIN_MS);
      this.tell({ type: "ticket_wanted" });
    });
  }

  give(ticket: string): void {
    this.has = true;
    this.tell({ type: "ticket", ticket });
  }

  #take(message: ToFrame, listener: HostListener): void {
    switch (message.type) {
      case "init":
        this.keeps = message.tickets;
        this.has = message.has_ticket;
        this.page = message.page;
        listener.init(message);
        break;
      case "shown":
        this.page = message.page;
        listener.shown(message);
        break;
      case "locale":
        listener.locale(message.locale);
        break;
      case "ticket":
        this.#waiting?.(message.ticket);
        this.#waiting = null;
        break;
    }
  }
}
