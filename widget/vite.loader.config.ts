// Builds the loader: dist/widget.js, one classic script that host pages include.

import { defineConfig } from "vite";
import { catalogue } from "./catalogue.ts";

export default defineConfig({
  plugins: [catalogue("loader")],
  build: {
    outDir: "dist",
    emptyOutDir: false,
    copyPublicDir: false,
    // Private members as they are: Safari 15.4, Chrome 92, Firefox 90 and later know them.
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: "src/loader/main.ts",
      output: { format: "iife", entryFileNames: "widget.js" },
    },
  },
});
