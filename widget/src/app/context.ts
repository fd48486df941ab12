// What every component may use: the words, the language, the client, what is fetched later.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ChatClient } from "./client";
import type { Translate } from "./i18n";
import type { Locale } from "./locale";

/** What is fetched later, once it is there (see later.tsx). */
export type Later = typeof import("./later");

export interface Tools {
  t: Translate;
  locale: Locale;
  client: ChatClient;
  later: Later | null;
  /** What is fetched later may never come. */
  is_in_doubt: boolean;
}

export const ToolsContext = createContext<Tools | null>(null);

export function useTools(): Tools {
  const tools = useContext(ToolsContext);
  if (tools === null) throw new Error("drawn outside of the app");
  return tools;
}
