/// <reference types="vitest/config" />
// Builds the app: dist/frame.html, the document of the iframe and of the chat link, and its files
// with hashed names under /w/assets/. Beside the document's first lines nothing is inlined: the
// relay's policy allows only files.

import { defineConfig } from "vite";
import { catalogue } from "./catalogue.ts";
import { documentOf } from "./document.ts";

const BASE = "/w/";

export default defineConfig(({ mode }) => ({
  base: BASE,
  plugins: mode === "test" ? [catalogue("all")] : [catalogue("chat"), documentOf(BASE)],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // Private members as they are: Safari 15.4, Chrome 92, Firefox 90 and later know them.
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
    rollupOptions: { input: "frame.html" },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}", "testing/**/*.test.ts"],
    setupFiles: ["testing/words.ts"],
    restoreMocks: true,
    // A limit, not a measure: a machine may be busy.
    testTimeout: 120_000,
  },
}));
