// The start of the workbench: chooses the host, draws, and starts hearing.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { installHost } from "./host";
import { browserHost } from "./host/browser";
import { inTauri, tauriHost } from "./host/tauri";
import { start } from "./stores/pushes";
import "./styles/tokens.css";
import "./styles/base.css";
import { App } from "./views/App";

installHost(inTauri() ? tauriHost() : browserHost());
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
start();
