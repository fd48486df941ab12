// What every component may use: the words, the language, the client.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ChatClient } from "./client";
import type { Locale, Translate } from "./i18n";

export interface Tools {
  t: Translate;
  locale: Locale;
  client: ChatClient;
}

export const ToolsContext = createContext<Tools | null>(null);

export function useTools(): Tools {
  const tools = useContext(ToolsContext);
  if (tools === null) throw new Error("drawn outside of the app");
  return tools;
}
