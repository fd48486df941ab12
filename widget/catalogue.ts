// Cuts the catalogue down to what one file says: the loader's words, those of the document's first
// lines, those that every chat shows, and those that few do. Everything a visitor downloads is
// counted (see testing/size.test.ts).

import { type Plugin, parseAst } from "vite";

const CATALOGUE = /shared\/i18n\/[\w-]+\.json(?:\?(?:.*&)?(\w+))?$/;

/** Where a text is said: in one of these files, and nowhere else. */
export type Surface = "loader" | "frame" | "chat" | "later";

const FIRST = new Map<string, Surface>([
  ["loader", "loader"],
  ["frame", "frame"],
  ["menu", "later"],
  ["queue", "later"],
  ["waited", "later"],
  ["pick", "later"],
  ["left", "later"],
  ["filed", "later"],
  ["away", "later"],
  ["prompt", "later"],
  ["notice", "later"],
  ["auto", "later"],
  ["leave", "later"],
  ["refused", "later"],
  ["failed", "later"],
]);
const WHOLE = new Set([
  "busy",
  "department_default",
  "delete",
  "edit",
  "not_durable",
  "other_language",
  "retry",
  "state_failed",
  "too_fast",
  "trouble",
  "wedged",
]);
/** Said by the composer and the head, which every chat has. */
const CHAT = new Set(["leave_mark", "menu", "pick_first"]);

/** The file that says a text. */
export function surfaceOf(key: string): Surface {
  if (CHAT.has(key)) return "chat";
  if (WHOLE.has(key)) return "later";
  return FIRST.get(key.split("_")[0] ?? "") ?? "chat";
}

/**
 * A build step that keeps the texts of one surface: that of the bundle, or the one an import names.
 * For tests, which build no files, all of them.
 */
export function catalogue(of_bundle: Surface | "all"): Plugin {
  return {
    name: "yingke-catalogue",
    enforce: "pre",
    transform(code, id) {
      const found = CATALOGUE.exec(id);
      if (found === null) return null;
      const surface = found[1] ?? of_bundle;
      const texts: Record<string, unknown> = JSON.parse(code).widget;
      const is_kept = (key: string) => of_bundle === "all" || surfaceOf(key) === surface;
      const kept = Object.entries(texts).filter(([key]) => is_kept(key));
      const module = `export const widget = ${JSON.stringify(Object.fromEntries(kept))};`;
      parseAst(module);
      return { code: module, map: null, moduleType: "js" };
    },
  };
}
