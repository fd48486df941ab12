// The window: header, stream, composer. Owns what belongs to this tab alone: language, sound, draft,
// whether the form of the leave-message is open.

import { useEffect, useMemo, useState } from "preact/hooks";
import { isClosed } from "./apply";
import { lacksCategory } from "./asks";
import type { ChatClient } from "./client";
import { Composer } from "./composer";
import { type Later, ToolsContext } from "./context";
import { Header } from "./header";
import { translator } from "./i18n";
import type { LeaveWish } from "./leaving";
import type { Locale } from "./locale";
import type { Part } from "./part";
import { Stream } from "./stream";

/** What the page around the app decides. */
export interface Frame {
  mode: "panel" | "page";
  is_shown: boolean;
  is_full_screen: boolean;
  locale: Locale;
  has_sound: boolean;
}

/** What survives a reload; where storage is blocked, as long as the page does. */
export interface Kept {
  get: (key: KeptKey) => string;
  set: (key: KeptKey, value: string) => void;
}

/** The tab's draft and wish, the visitor's name and contact. */
export type KeptKey = "draft" | "wish" | "name" | "contact";

export interface AppProps {
  client: ChatClient;
  frame: Frame;
  kept: Kept;
  later: Part<Later>;
  onLocale: (locale: Locale) => void;
  onSound: (is_on: boolean) => void;
  onClose: () => void;
}

const CAN_FOCUS = "button:not(:disabled), input, select, textarea, a[href], [tabindex='0']";

/** Full screen on a phone there is nothing else to go to: Tab stays inside. */
function keepFocus(event: KeyboardEvent): void {
  if (event.key !== "Tab") return;
  const all = [...document.querySelectorAll<HTMLElement>(CAN_FOCUS)];
  const edge = event.shiftKey ? all[0] : all.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0])?.focus();
}

/** A state that survives a reload. */
function useKept(kept: Kept, key: KeptKey): [string, (value: string) => void] {
  const [value, setValue] = useState(() => kept.get(key));
  const write = (next: string) => {
    setValue(next);
    kept.set(key, next);
  };
  return [value, write];
}

/** Draws anew when it comes. */
function useLater(later: Part<Later>): Part<Later> {
  const [, setDrawn] = useState(0);
  useEffect(() => {
    const draw = () => setDrawn((drawn) => drawn + 1);
    // It may have come since it was looked at.
    draw();
    return later.listen(draw);
  }, [later]);
  return later;
}

function readWish(text: string): LeaveWish | null {
  if (text === "") return null;
  return { of: text.slice(1), is_open: text.startsWith("+") };
}

export function App(props: AppProps) {
  const { client, frame, kept } = props;
  const [state, setState] = useState(client.state);
  const later = useLater(props.later);
  const leaving = later.value?.leaving;
  const [draft, setDraft] = useKept(kept, "draft");
  const [kept_wish, keepWish] = useKept(kept, "wish");
  const [name, setName] = useKept(kept, "name");
  const [contact, setContact] = useKept(kept, "contact");
  useEffect(() => {
    setState(client.state);
    return client.subscribe(() => setState(client.state));
  }, [client]);

  const { held } = state;
  const wish = readWish(kept_wish);
  const standing = held && leaving?.standingOf(held);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when things stand otherwise
  useEffect(() => {
    if (held !== null && wish !== null && leaving?.isPast(wish, held)) keepWish("");
  }, [standing]);

  const may_leave = leaving?.mayLeave(held) ?? false;
  // Until its form is there the composer is what it always is.
  const is_leaving = leaving?.isLeaving(state, wish) ?? false;
  const want = (is_open: boolean) => keepWish(`${is_open ? "+" : "-"}${standing ?? ""}`);
  const write = (text: string) => {
    setDraft(text);
    client.type(text);
    // Who began to fill it in keeps the form, also if an agent comes who has no place yet.
    if (is_leaving && text !== "") want(true);
  };
  const send = (text: string) => {
    if (!is_leaving) return client.write(text);
    const is_taken = client.write(text, { name: name.trim(), contact: contact.trim() });
    if (is_taken) want(false);
    return is_taken;
  };
  const { locale } = frame;
  const { value, is_in_doubt } = later;
  // The same as long as it says the same: a key press draws no line of the stream anew.
  const tools = useMemo(
    () => ({ t: translator(locale), locale, client, later: value, is_in_doubt }),
    [locale, client, value, is_in_doubt],
  );
  const is_panel = frame.mode === "panel";
  const is_closed = isClosed(state.held);
  const onKeyDown = (event: KeyboardEvent) => {
    if (is_panel && event.key === "Escape") props.onClose();
    if (is_panel && frame.is_full_screen) keepFocus(event);
  };
  return (
    <ToolsContext.Provider value={tools}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Esc closes from everywhere inside */}
      <div class={`app ${frame.mode}${frame.is_full_screen ? " full" : ""}`} onKeyDown={onKeyDown}>
        <Header
          state={state}
          has_sound={frame.has_sound}
          onSound={props.onSound}
          onLocale={props.onLocale}
          onLeave={may_leave && !is_leaving ? () => want(true) : null}
          onClose={is_panel ? props.onClose : null}
        />
        <Stream
          state={state}
          is_shown={frame.is_shown}
          onEdit={(text) => write(draft.trim() === "" ? text : `${text}\n${draft}`)}
          is_leaving={is_leaving}
          onLeave={may_leave ? () => want(true) : null}
          onWrite={() => document.querySelector("textarea")?.focus()}
        />
        <Composer
          draft={draft}
          onDraft={write}
          onSend={send}
          must_pick={lacksCategory(held, state.asks)}
          form={
            leaving && is_leaving
              ? {
                  words: leaving.whyLeave(state, tools.t),
                  name,
                  contact,
                  said: leaving.unanswered(state),
                  is_wanted: wish?.is_open === true,
                  onName: (text) => {
                    setName(text);
                    want(true);
                  },
                  onContact: (text) => {
                    setContact(text);
                    want(true);
                  },
                  onBack: () => want(false),
                }
              : null
          }
          has_preview={(state.held?.site.preview ?? false) && !is_closed}
          is_closed={is_closed}
          is_shown={frame.is_shown}
          may_focus={!matchMedia("(pointer: coarse)").matches}
        />
      </div>
    </ToolsContext.Provider>
  );
}
