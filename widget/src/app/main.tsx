// Starts the app in its document: the iframe of a host page, or the chat link's full page. The
// relay has put site and mode on the document's root.

import { render } from "preact";
import { pageOf } from "../host/page";
import { App, type Frame, type Kept } from "./app";
import { isOpen } from "./apply";
import { ChatClient } from "./client";
import { HostDoor } from "./host_door";
import { learn } from "./i18n";
import { firstLocale, type Locale, localeOf } from "./locale";
import { LATER, WORDS } from "./parts";
import { openDisk, SiteStorage } from "./storage";
import "./styles.css";

const root = document.documentElement;
const site = root.dataset.site ?? "";
const is_page = root.dataset.mode === "page" || window.parent === window;
const storage = new SiteStorage(site, openDisk(window));
const door = new HostDoor(window);

const frame: Frame = {
  mode: is_page ? "page" : "panel",
  is_shown: is_page,
  is_full_screen: is_page,
  // As the document's first lines chose it, with the words they asked for.
  locale: firstLocale([root.lang]),
  has_sound: storage.get("sound") !== "off",
};

const client = new ChatClient({
  site,
  storage,
  tickets: door,
  page: () => door.page ?? pageOf(location.href, document.title),
  locale: () => frame.locale,
  onAgentMessage: () => {
    const is_looked_at = frame.is_shown && document.visibilityState === "visible";
    if (frame.has_sound && !is_looked_at) LATER.value?.chime();
  },
});

/** Draft and wish belong to this tab: they survive a reload, and no other tab sees them. */
const kept: Kept = {
  get(key) {
    if (key === "name" || key === "contact") return storage.get(key) ?? "";
    try {
      return sessionStorage.getItem(`yingke:${site}:${key}`) ?? "";
    } catch {
      return "";
    }
  },
  set(key, value) {
    if (key === "name" || key === "contact") {
      storage.set(key, value);
      return;
    }
    try {
      sessionStorage.setItem(`yingke:${site}:${key}`, value);
    } catch {
      // Blocked: it lives as long as the page.
    }
  },
};

let wanted = frame.locale;

/** The words are there, or will be: then the window speaks the language last asked for. */
function speak(locale: Locale): void {
  wanted = locale;
  const words = WORDS[locale];
  if (words.value === null) {
    words.ask();
    return;
  }
  learn(locale, words.value.widget);
  if (frame.locale === locale) return;
  frame.locale = locale;
  draw();
  tellHost();
}

function setLocale(locale: Locale): void {
  storage.set("locale", locale);
  speak(locale);
}

let told = "";

function tellHost(): void {
  if (is_page) return;
  const { unread, held } = client.state;
  const is_talking = isOpen(held?.conversation ?? null) || client.state.outbox.some(isUnsent);
  const state = { type: "state", unread, is_talking, locale: frame.locale } as const;
  const text = JSON.stringify(state);
  // Before anything is known the loader keeps what it remembers of the last page.
  if (held === null || text === told) return;
  told = text;
  door.tell(state);
}

function isUnsent(item: { state: { kind: string } }): boolean {
  return item.state.kind !== "sent";
}

function draw(): void {
  root.lang = frame.locale;
  render(
    <App
      client={client}
      frame={{ ...frame }}
      kept={kept}
      later={LATER}
      onLocale={setLocale}
      onSound={(is_on) => {
        frame.has_sound = is_on;
        storage.set("sound", is_on ? "on" : "off");
        draw();
      }}
      onClose={() => door.tell({ type: "close" })}
    />,
    document.body,
  );
}

/** The page ends where a phone's keyboard begins; zoomed into with two fingers it stays as it is. */
function fit(): void {
  const view = window.visualViewport;
  if (view === null || view.scale > 1.01) return;
  const is_cut = view.height < window.innerHeight - 1;
  root.style.height = is_cut ? `${view.height}px` : "";
  document.body.style.transform = view.offsetTop > 0 ? `translateY(${view.offsetTop}px)` : "";
}

/** The page is named after the company, and says in its tab that something is unread. */
function name(): void {
  const { held, unread } = client.state;
  if (!is_page || held === null) return;
  const title = unread > 0 ? `(${unread}) ${held.site.name}` : held.site.name;
  if (document.title !== title) document.title = title;
}

client.subscribe(() => {
  name();
  tellHost();
});
function begin(): void {
  draw();
  // One after the other is soon enough for these.
  LATER.ask();
  for (const words of Object.values(WORDS)) words.ask();
  if (is_page) {
    window.visualViewport?.addEventListener("resize", fit);
    window.visualViewport?.addEventListener("scroll", fit);
    client.start();
    client.show(true);
  } else {
    door.open({
      init(message) {
        const kept = localeOf(storage.get("locale"));
        const chosen = kept ?? localeOf(message.locale);
        if (chosen !== null) speak(chosen);
        frame.is_shown = message.is_open;
        frame.is_full_screen = message.is_full_screen;
        draw();
        // The loader makes this frame early when the pointer nears the button; nothing reaches the
        // relay before the window is opened or a conversation is known to run.
        if (message.is_open || message.is_talking) client.start();
        client.show(message.is_open);
      },
      shown(message) {
        if (message.is_open !== frame.is_shown) client.show(message.is_open);
        frame.is_shown = message.is_open;
        frame.is_full_screen = message.is_full_screen;
        draw();
        if (message.is_open) client.start();
      },
      locale(tag) {
        const locale = localeOf(tag);
        if (locale !== null) setLocale(locale);
      },
    });
  }
}

for (const locale of ["zh-CN", "en"] as const) {
  WORDS[locale].listen(() => {
    if (locale === wanted) speak(locale);
  });
}
const first = WORDS[frame.locale];
const stop = first.listen(() => {
  if (first.value === null) return;
  stop();
  begin();
});
first.ask();
