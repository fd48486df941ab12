// Cuts the catalogue down to what one bundle says: the app without the loader's words, the loader
// with nothing else. Everything a visitor downloads is counted (see testing/size.test.ts).

import { type Plugin, parseAst } from "vite";

const CATALOGUE = /shared\/i18n\/[\w-]+\.json$/;

/** A build step that keeps only the texts of the group `widget` whose key `keep` accepts. */
export function catalogue(keep: (key: string) => boolean): Plugin {
  return {
    name: "yingke-catalogue",
    enforce: "pre",
    transform(code, id) {
      if (!CATALOGUE.test(id)) return null;
      const texts: Record<string, unknown> = JSON.parse(code).widget;
      const kept = Object.fromEntries(Object.entries(texts).filter(([key]) => keep(key)));
      const module = `export const widget = ${JSON.stringify(kept)};`;
      parseAst(module);
      return { code: module, map: null, moduleType: "js" };
    },
  };
}

/** Whether a text belongs to the loader. */
export function isLoaderText(key: string): boolean {
  return key.startsWith("loader_");
}
