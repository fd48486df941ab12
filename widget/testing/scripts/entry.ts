// The widget's modules as a tab of the scripts runs them: the real client, without its drawing. What
// the page would show is read by the module that decides it.

import { ChatClient, type ChatState } from "../../src/app/client";
import { linesOf, type Mark } from "../../src/app/lines";
import { openDisk, SiteStorage } from "../../src/app/storage";

/** What the tab's world gives beside a browser's. */
interface World {
  now: () => number;
  begin: (options: { site: string }) => ChatClient;
  shown: (state: ChatState) => string;
}

const world = globalThis as unknown as World;

Date.now = () => world.now();

world.begin = ({ site }) => {
  const client = new ChatClient({
    site,
    storage: new SiteStorage(site, openDisk(window)),
    tickets: { keeps: false, has: false, ask: () => Promise.resolve(""), give: () => {} },
    page: () => ({ url: "http://shop.localhost/tea", title: "Tea" }),
    locale: () => "zh-CN",
    onAgentMessage: () => {},
  });
  client.start();
  return client;
};

/** A message as the page shows it. */
interface Shown {
  client_id: string;
  text: string;
  mark: Mark | null;
  seq: number | null;
  conversation: string | null;
}

/** As JSON: values of one realm are not compared with those of another. */
world.shown = (state) =>
  JSON.stringify(
    linesOf(state).flatMap((line): Shown[] => {
      if (line.kind === "time") return [];
      if (line.kind === "unsent") {
        const { client_id, text } = line.item;
        return [{ client_id, text, mark: line.mark, seq: null, conversation: null }];
      }
      const { client_id, content, seq, conversation_id, author } = line.message;
      if (content.kind !== "text") return [];
      const mark = author.kind === "me" ? line.mark : null;
      const { text } = content;
      return [{ client_id, text, mark, seq, conversation: conversation_id }];
    }),
  );
