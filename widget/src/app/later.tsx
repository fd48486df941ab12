// What is not needed to read and to write: the menu, the cards of every state, the forms, what can be
// done about a message that does not go, the sound. One file, fetched as soon as the window stands;
// its words and its looks come with it.

import { widget as en } from "../../../shared/i18n/en.json?later";
import { widget as zh } from "../../../shared/i18n/zh-CN.json?later";
import { learn } from "./i18n";
import looks from "./later.css?inline";

export { LeaveHead } from "./leave_form";
export * as leaving from "./leaving";
export { Menu } from "./menu";
export { Notice } from "./notice";
export { Prompts } from "./prompts";
export { Repair } from "./repair";
export { chime } from "./sound";

learn("zh-CN", zh);
learn("en", en);

try {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(looks);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
} catch {
  // Safari before 16.4: as an element, by the document's own leave.
  const style = document.createElement("style");
  style.nonce = document.querySelector<HTMLElement>("script[nonce]")?.nonce ?? "";
  style.textContent = looks;
  document.head.append(style);
}
