// The window: header, stream, composer. Owns what belongs to this tab alone: language, sound, draft,
// whether the form of the leave-message is open.

import { useEffect, useState } from "preact/hooks";
import { isClosed } from "./apply";
import { lacksCategory } from "./asks";
import type { ChatClient, ChatState } from "./client";
import { Composer } from "./composer";
import { ToolsContext } from "./context";
import { Header } from "./header";
import { type Locale, type Translate, translator } from "./i18n";
import { isLeaving, isPast, type LeaveWish, mayLeave, standingOf, unanswered } from "./leaving";
import { Stream } from "./stream";
import { companyWords } from "./words";

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

function readWish(text: string): LeaveWish | null {
  if (text === "") return null;
  return { of: text.slice(1), is_open: text.startsWith("+") };
}

/** Why a message is left, in the company's words or the widget's. */
function whyLeave({ held }: ChatState, t: Translate): string {
  const status = held?.conversation?.status;
  const reason = status?.kind === "waiting" ? status.reason : null;
  const own = (text: string | undefined) => companyWords(text, {}, t);
  if (reason === "nobody_online") return own(held?.site.prompts.nobody_online) ?? t("leave_nobody");
  if (reason === "closed") return own(held?.site.prompts.closed) ?? t("leave_closed");
  return t("leave_any");
}

export function App(props: AppProps) {
  const { client, frame, kept } = props;
  const [state, setState] = useState(client.state);
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
  const standing = held && standingOf(held);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when things stand otherwise
  useEffect(() => {
    if (held !== null && wish !== null && isPast(wish, held)) keepWish("");
  }, [standing]);

  const may_leave = mayLeave(held);
  const is_leaving = isLeaving(state, wish);
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
  const t = translator(frame.locale);
  const is_panel = frame.mode === "panel";
  const is_closed = isClosed(state.held);
  const onKeyDown = (event: KeyboardEvent) => {
    if (is_panel && event.key === "Escape") props.onClose();
    if (is_panel && frame.is_full_screen) keepFocus(event);
  };
  return (
    <ToolsContext.Provider value={{ t, locale: frame.locale, client }}>
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
            is_leaving
              ? {
                  words: whyLeave(state, t),
                  name,
                  contact,
                  said: unanswered(state),
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
