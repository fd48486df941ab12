// The window: header, stream, composer. Owns what belongs to this tab alone: language, sound, draft.

import { useEffect, useState } from "preact/hooks";
import { isClosed } from "./apply";
import type { ChatClient } from "./client";
import { Composer } from "./composer";
import { ToolsContext } from "./context";
import { Header } from "./header";
import { type Locale, translator } from "./i18n";
import { Stream } from "./stream";

/** What the page around the app decides. */
export interface Frame {
  mode: "panel" | "page";
  is_shown: boolean;
  is_full_screen: boolean;
  locale: Locale;
  has_sound: boolean;
}

export interface AppProps {
  client: ChatClient;
  frame: Frame;
  draft: string;
  onDraft: (draft: string) => void;
  onLocale: (locale: Locale) => void;
  onSound: (is_on: boolean) => void;
  onClose: () => void;
}

const CAN_FOCUS = "button:not(:disabled), textarea, a[href], [tabindex='0']";

/** Full screen on a phone there is nothing else to go to: Tab stays inside. */
function keepFocus(event: KeyboardEvent): void {
  if (event.key !== "Tab") return;
  const all = [...document.querySelectorAll<HTMLElement>(CAN_FOCUS)];
  const edge = event.shiftKey ? all[0] : all.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0])?.focus();
}

export function App(props: AppProps) {
  const { client, frame } = props;
  const [state, setState] = useState(client.state);
  const [draft, setDraft] = useState(props.draft);
  useEffect(() => {
    setState(client.state);
    return client.subscribe(() => setState(client.state));
  }, [client]);

  const write = (text: string) => {
    setDraft(text);
    props.onDraft(text);
    client.type(text);
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
          onClose={is_panel ? props.onClose : null}
        />
        <Stream
          state={state}
          is_shown={frame.is_shown}
          onEdit={(text) => write(draft.trim() === "" ? text : `${text}\n${draft}`)}
        />
        <Composer
          draft={draft}
          onDraft={write}
          has_preview={(state.held?.site.preview ?? false) && !is_closed}
          is_closed={is_closed}
          is_shown={frame.is_shown}
          may_focus={!matchMedia("(pointer: coarse)").matches}
        />
      </div>
    </ToolsContext.Provider>
  );
}
