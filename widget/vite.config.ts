/// <reference types="vitest/config" />
// Builds the app: dist/frame.html, the document of the iframe and of the chat link, and its files
// with hashed names under /w/assets/. Nothing is inlined: the relay's policy allows only files.

import { defineConfig } from "vite";
import { catalogue, isLoaderText } from "./catalogue.ts";

export default defineConfig(({ mode }) => ({
  base: "/w/",
  plugins: mode === "test" ? [] : [catalogue((key) => !isLoaderText(key))],
  html: { cspNonce: "__CSP_NONCE__" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // Private members as they are: Safari 15.4, Chrome 92, Firefox 90 and later know them.
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rollupOptions: { input: "frame.html" },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}", "testing/**/*.test.ts"],
    restoreMocks: true,
  },
}));
