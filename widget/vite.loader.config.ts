// Builds the loader: dist/widget.js, one classic script that host pages include.

import { defineConfig } from "vite";
import { catalogue, isLoaderText } from "./catalogue.ts";

export default defineConfig({
  plugins: [catalogue(isLoaderText)],
  build: {
    outDir: "dist",
    emptyOutDir: false,
    copyPublicDir: false,
    target: ["safari15", "chrome90", "firefox90"],
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: "src/loader/main.ts",
      output: { format: "iife", entryFileNames: "widget.js" },
    },
  },
});
