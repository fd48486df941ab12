// Launcher, panel and iframe on the host page, and the talk with the iframe: origin and source are
// checked, then the message is read. Everything stands in one fixed element with a shadow root, so
// that the page's layout and styles and ours never meet.

import { readToHost, seal, type ToFrame, type ToHost } from "../host/messages";
import { pageOf } from "../host/page";
import { MARK, MARK_FIELD } from "../mark";
import { CSS, icon } from "./looks";
import { Memory } from "./memory";
import { text, wordsOf } from "./words";

export interface HostFrameParts {
  site: string;
  relay: string;
  url: string;
  has_tickets: boolean;
  locale: string;
}

const PHONE = "(max-width:480px)";
/** A document that is loaded and says nothing for so long is not the chat; later ones twice as long. */
const SILENT_MS = 1_500;
const SILENT_MS_MAX = 120_000;
/** A frame that does not even load. */
const LOADED_WITHIN_MS = 10_000;

export class HostFrame {
  readonly #parts: HostFrameParts;
  readonly #memory: Memory;
  readonly #launcher = document.createElement("button");
  readonly #panel = document.createElement("div");
  readonly #waits = document.createElement("p");
  #iframe: HTMLIFrameElement | null = null;
  #is_ready = false;
  #silent_ms = SILENT_MS;
  #is_open = false;
  #unread = 0;
  #locale: string;

  constructor(parts: HostFrameParts) {
    this.#parts = parts;
    this.#memory = new Memory(parts.site);
    this.#locale = parts.locale || navigator.language;
    this.#draw();
    addEventListener("message", (event: MessageEvent<unknown>) => {
      const is_ours = event.source === this.#iframe?.contentWindow && event.origin === parts.relay;
      const message = is_ours && readToHost(event.data);
      if (message) this.#take(message);
    });
    // A page may change its address without loading. The visitor who then turns to the chat takes
    // the focus from this window, so the chat knows the address before the message is written.
    const tell = () => this.#tellShown();
    addEventListener("blur", tell);
    addEventListener("popstate", tell);
    if (this.#memory.get().is_talking) this.#whenIdle(() => this.#load());
  }

  /** The page's own calls: open, close, locale. */
  call(command: string, value?: string): void {
    if (command === "open") this.#show(true);
    else if (command === "close") this.#show(false);
    else if (command === "locale" && value) {
      this.#locale = value;
      this.#label();
      this.#tell({ type: "locale", locale: value });
    }
  }

  #draw(): void {
    const element = document.createElement("div");
    element.style.cssText =
      "all:initial;position:fixed;right:0;bottom:0;width:0;height:0;z-index:2147483000";
    const root = element.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } catch {
      const style = document.createElement("style");
      style.textContent = CSS;
      root.append(style);
    }
    const launcher = this.#launcher;
    launcher.type = "button";
    launcher.dataset.testid = "launcher";
    launcher.append(
      icon(MARK, MARK_FIELD),
      icon(["M6 9l6 6 6-6"], "0 0 24 24"),
      document.createElement("i"),
    );
    launcher.onclick = () => this.#show(!this.#is_open);
    // The frame is made when the pointer or the keyboard comes near: it is there at the click.
    launcher.onpointerenter = launcher.onpointerdown = launcher.onfocus = () => this.#load();
    this.#panel.className = "panel";
    this.#panel.setAttribute("role", "dialog");
    this.#panel.onkeydown = (event) => {
      if (event.key === "Escape") this.#show(false);
    };
    this.#waits.setAttribute("role", "status");
    this.#panel.append(this.#waits);
    root.append(this.#panel, launcher);
    this.#label();
    // Beside the body: sites that change pages without loading put another body in its place.
    document.documentElement.append(element);
    const fit = () => this.#fit();
    visualViewport?.addEventListener("resize", fit);
    visualViewport?.addEventListener("scroll", fit);
  }

  #load(): void {
    if (this.#iframe) return;
    const iframe = document.createElement("iframe");
    iframe.setAttribute(
      "sandbox",
      "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox",
    );
    iframe.allow = "autoplay";
    iframe.title = this.#words().loader_open;
    // The words of that language are fetched beside the chat, not after it.
    iframe.src = `${this.#parts.url}#${this.#parts.locale}`;
    this.#iframe = iframe;
    this.#panel.append(iframe);
    // The relay may have been away: what stands there then never becomes the chat by itself.
    const silent_ms = this.#silent_ms;
    const again = (after: number) => {
      const look = () => {
        if (this.#is_ready || this.#iframe !== iframe) return;
        iframe.remove();
        this.#iframe = null;
        this.#load();
      };
      setTimeout(look, after);
    };
    iframe.onload = () => again(silent_ms);
    again(LOADED_WITHIN_MS + silent_ms);
    this.#silent_ms = Math.min(silent_ms * 2, SILENT_MS_MAX);
  }

  #show(is_open: boolean): void {
    if (is_open) this.#load();
    const was_open = this.#is_open;
    this.#is_open = is_open;
    this.#panel.classList.toggle("open", is_open);
    this.#launcher.classList.toggle("open", is_open);
    this.#fit();
    this.#label();
    this.#tellShown();
    if (is_open) this.#iframe?.focus();
    else if (was_open) this.#launcher.focus();
  }

  #take(message: ToHost): void {
    const memory = this.#memory.get();
    switch (message.type) {
      case "ready":
        this.#is_ready = true;
        this.#panel.classList.add("ready");
        this.#waits.remove();
        if (this.#is_open) this.#iframe?.focus();
        this.#tell({
          type: "init",
          page: this.#page(),
          locale: this.#parts.locale,
          tickets: this.#parts.has_tickets,
          has_ticket: !!memory.ticket,
          is_talking: !!memory.is_talking,
          is_open: this.#is_open,
          is_full_screen: this.#isPhone(),
        });
        break;
      case "close":
        this.#show(false);
        break;
      case "ticket_wanted":
        this.#tell({ type: "ticket", ticket: (this.#parts.has_tickets && memory.ticket) || "" });
        break;
      case "ticket":
        if (this.#parts.has_tickets) this.#memory.set({ ticket: message.ticket });
        break;
      case "state":
        this.#unread = message.unread;
        this.#locale = message.locale;
        this.#label();
        this.#memory.set({ is_talking: message.is_talking });
    }
  }

  #tellShown(): void {
    if (!this.#is_ready) return;
    const is_open = this.#is_open;
    this.#tell({ type: "shown", is_open, is_full_screen: this.#isPhone(), page: this.#page() });
  }

  #tell(message: ToFrame): void {
    this.#iframe?.contentWindow?.postMessage(seal(message), this.#parts.relay);
  }

  #page() {
    return pageOf(location.href, document.title);
  }

  #isPhone(): boolean {
    return matchMedia(PHONE).matches;
  }

  /** On a phone the panel ends where the keyboard begins. */
  #fit(): void {
    const view = visualViewport;
    // Zoomed in with two fingers the visitor looks at a part of it: it stays as large as it is.
    if (view && view.scale > 1.01) return;
    const is_full = this.#is_open && this.#isPhone() && view;
    this.#panel.setAttribute("aria-modal", String(!!is_full));
    this.#panel.style.height = is_full ? `${view.height}px` : "";
    this.#panel.style.top = is_full ? `${view.offsetTop}px` : "";
  }

  #words() {
    return wordsOf(this.#locale);
  }

  #label(): void {
    const words = this.#words();
    const count = this.#unread;
    const label = this.#is_open
      ? words.loader_close
      : count > 0
        ? text(words.loader_open_unread, { count })
        : words.loader_open;
    this.#launcher.setAttribute("aria-label", label);
    this.#launcher.setAttribute("aria-expanded", String(this.#is_open));
    this.#launcher.title = label;
    this.#launcher.dataset.unread = String(count);
    this.#panel.setAttribute("aria-label", words.loader_open);
    this.#waits.textContent = words.loader_waits;
    if (this.#iframe) this.#iframe.title = words.loader_open;
  }

  #whenIdle(run: () => void): void {
    const idle = () =>
      typeof requestIdleCallback === "function"
        ? requestIdleCallback(run, { timeout: 5000 })
        : setTimeout(run, 1000);
    if (document.readyState === "complete") idle();
    else addEventListener("load", idle, { once: true });
  }
}
