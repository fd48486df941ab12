// The loader: the one script a host page includes. It asks the relay whether it may start here,
// draws the launcher in a shadow root, and makes the iframe only when it is needed. It leaves one
// name on the page, `Yingke`, and moves nothing.
//
// Whether the site is on is asked once for each page, and again only of a relay that was away. A site switched off while a page is open keeps
// its launcher there until the next page: a button does not vanish under a hand that reaches for it, a
// conversation that is open goes on behind it, and the window says that the service is off.

import { HostFrame } from "./host_frame";
import { text, wordsOf } from "./words";

interface Boot {
  frame_url: string;
  return_tickets: boolean;
}

/** A relay that is away is asked again after this, later and later. */
const AGAIN_MS = 5_000;
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
    const again = () => setTimeout(ask, wait, Math.min(wait * 2, AGAIN_MS_MAX));
    fetch(`${relay}/w/${encodeURIComponent(site)}/boot`, { credentials: "omit" }).then(
      async (response) => {
        const answer: unknown = await response.json().catch(() => null);
        if (response.ok) {
          begin(answer as Boot);
          return;
        }
        const code = (answer as { code?: string } | null)?.code ?? String(response.status);
        const reasons: Record<string, string> = {
          origin_refused: words.loader_refused,
          site_disabled: words.loader_disabled,
        };
        sayWhyNot(text(reasons[code] ?? words.loader_unknown, { ...names, code }));
        if (response.status >= 500) again();
      },
      () => {
        sayWhyNot(text(words.loader_unreachable, names));
        again();
      },
    );
  };
  ask(AGAIN_MS);
}

if (script && !host.Yingke) start(script);
