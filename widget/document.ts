// Builds the document: its first lines stand in it, and it names the files that are fetched later, so
// that nothing waits for a script to find out what to ask for.

import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";
import { catalogue } from "./catalogue.ts";

const FIRST_LINES = fileURLToPath(new URL("src/frame/first.ts", import.meta.url));
const HELPER = "\0vite/preload-helper.js";
/** Files that are fetched later, by the name the document knows them by. */
const LATER: Record<string, string> = { "zh-CN": "zh", en: "en", later: "later" };

async function firstLines(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    plugins: [catalogue("frame")],
    build: {
      write: false,
      target: "es2022",
      lib: { entry: FIRST_LINES, formats: ["iife"], name: "first" },
    },
  });
  const [only] = Array.isArray(built) ? built : [built];
  if (only === undefined || !("output" in only)) throw new Error("the first lines are not built");
  return only.output[0].code.trim();
}

/** See the head of this file. */
export function documentOf(base: string): Plugin {
  return {
    name: "yingke-document",
    enforce: "pre",
    load(id) {
      // Nothing of ours is preloaded by it.
      return id === HELPER ? "export const __vitePreload = (load) => load();" : null;
    },
    transformIndexHtml: {
      order: "post",
      async handler(html, { bundle }) {
        const names = Object.values(bundle ?? {}).flatMap((chunk) => {
          const name = chunk.type === "chunk" ? LATER[chunk.name] : undefined;
          return name === undefined ? [] : [` data-${name}="${base}${chunk.fileName}"`];
        });
        if (names.length < Object.keys(LATER).length) throw new Error(`only ${names} are built`);
        const script = `<script nonce="__CSP_NONCE__">${await firstLines()}</script>`;
        return html
          .replace(/<html[^>]*/, (tag) => tag + names.sort().join(""))
          .replace("<!-- first lines -->", () => script)
          .replace(/\n\s*/g, "\n");
      },
    },
  };
}
