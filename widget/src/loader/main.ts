// The loader: the one script a host page includes. It asks the relay whether it may start here,
// draws the launcher in a shadow root, and makes the iframe only when it is needed. It leaves one
// name on the page, `Yingke`, and moves nothing.
//
// Whether the site is on is asked once for each page, and again only of a relay that was away. A site
// switched off while a page is open keeps its launcher there until the next page: a button does not
// vanish under a hand that reaches for it, a conversation that is open goes on behind it, and the
// window says that the service is off.

import { HostFrame } from "./host_frame";
import { text, wordsOf } from "./words";

interface Boot {
  frame_url: string;
  return_tickets: boolean;
}

type Answer = Boot & { code: string };

/** A relay that is away is asked again after about this, later and later; not by all pages at once. */
const AGAIN_MS = 4_000;
const AGAIN_MS_MAX = 120_000;

type Api = (command: string, value?: string) => void;

const host = window as Window & { Yingke?: Api };
const script = document.currentScript as HTMLScriptElement | null;

function sayWhyNot(reason: string): void {
  // biome-ignore lint/suspicious/noConsole: the console is where a site's developer looks
  console.warn(reason);
}

function start(script: HTMLScriptElement): void {
  const { site, lang } = script.dataset;
  const words = wordsOf(lang ?? navigator.language);
  if (!site) {
    sayWhyNot(words.loader_no_site);
    return;
  }
  const relay = new URL(script.src).origin;
  let frame: HostFrame | null = null;
  const calls: [string, string | undefined][] = [];
  host.Yingke = (command, value) => {
    if (frame) frame.call(command, value);
    else calls.push([command, value]);
  };
  const names = { site, relay, origin: location.origin };
  const begin = (boot: Boot) => {
    frame = new HostFrame({
      site,
      relay,
      url: new URL(boot.frame_url, relay).href,
      has_tickets: boot.return_tickets,
      locale: lang ?? "",
    });
    for (const [command, value] of calls) frame.call(command, value);
  };
  const ask = (wait: number) => {
    const again = (reason: string, gaps: Record<string, string>) => {
      sayWhyNot(text(reason, gaps));
      const soon = () => {
        clearTimeout(timer);
        removeEventListener("online", soon);
        ask(Math.min(wait * 2, AGAIN_MS_MAX));
      };
      const timer = setTimeout(soon, wait * (0.75 + Math.random() / 2));
      addEventListener("online", soon);
    };
    fetch(`${relay}/w/${encodeURIComponent(site)}/boot`, { credentials: "omit" }).then(
      async (response) => {
        const answer = (await response.json().catch(() => null)) as Partial<Answer> | null;
        const { status, ok } = response;
        if (ok && answer?.frame_url) {
          begin(answer as Boot);
          return;
        }
        const code = answer?.code ?? String(status);
        const reasons: Record<string, string> = {
          origin_refused: words.loader_refused,
          site_disabled: words.loader_disabled,
        };
        const reason = reasons[code] ?? words.loader_unknown;
        // Not its own answer (a gateway, a login page of the network), or too much at the moment.
        if (ok || status >= 500 || status === 429) again(reason, { ...names, code });
        else sayWhyNot(text(reason, { ...names, code }));
      },
      () => again(words.loader_unreachable, names),
    );
  };
  ask(AGAIN_MS);
}

if (script && !host.Yingke) start(script);
