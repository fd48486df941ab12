/// <reference types="vitest/config" />
// How the workbench is built and tested. The result is plain files with relative addresses: the
// same folder is packed into the desktop shell and served by the headless client, both under a
// strict content security policy, so nothing is inlined and nothing is fetched from elsewhere.

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // WebKitGTK of Debian 12 and Windows' WebView2 both understand this.
    target: ["safari15", "chrome107"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["testing/setup.ts"],
    restoreMocks: true,
    // Limits that only a defect reaches, however busy the machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
