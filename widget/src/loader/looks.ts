// How launcher and panel look. The panel shows its colours before the app is there, so that opening
// is at once on a slow phone too.

/** The mark: three crowns, then trunk, branches and ground as strokes. */
export const PINE = [
  "M10.1 9.9c-.75 0-1.2-.5-1.2-1.2 0-1.25 1.05-2.15 2.5-2.3.75-1.75 2.5-2.9 4.6-2.9 1.95 0 3.6 1 4.4 2.5 1.75.15 3 1.15 3 2.5 0 .85-.5 1.4-1.35 1.4zM3.3 17c-.85 0-1.35-.5-1.35-1.25 0-1.35 1.2-2.35 2.8-2.45.75-1.15 2-1.8 3.55-1.8 1.75 0 3.2.85 3.85 2.2 1.05.2 1.75.95 1.75 1.95 0 .85-.5 1.35-1.35 1.35zm15.9 2.6c-.8 0-1.3-.5-1.3-1.2 0-1.1.9-1.95 2.1-2.15.65-1.35 1.95-2.15 3.6-2.15 1.75 0 3.1.9 3.7 2.3 1.35.2 2.25 1 2.25 2.05 0 .75-.5 1.15-1.25 1.15z",
  "M16.3 9.6c-.9 3.6-.2 6 .5 8.6.6 2.3.9 5.2-.6 9M9.4 16.9c2.6.3 5.2 1.2 7.2 3m6-.4c-1.6 1.2-3.4 2-5.2 2.6M9.5 27.9h13.4",
];

/** An icon of paths: the first of several is filled, the others are strokes. */
export function icon(paths: string[], viewBox: string): SVGElement {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  paths.forEach((d, at) => {
    const path = document.createElementNS(ns, "path");
    path.setAttribute("d", d);
    if (at === 0 && paths.length > 1) path.setAttribute("class", "fill");
    svg.append(path);
  });
  return svg;
}

const BUTTON = `button{all:initial;position:fixed;right:24px;bottom:24px;right:calc(24px + env(safe-area-inset-right,0px));bottom:calc(24px + env(safe-area-inset-bottom,0px));width:56px;height:56px;border-radius:50%;background:#17755a;color:#fff;cursor:pointer;box-shadow:0 6px 20px rgba(16,32,26,.24);transition:transform .14s ease-out,background .14s ease-out}
button:hover{background:#12664e}
button:active{transform:scale(.95)}
button:focus-visible{outline:3px solid #2f6fed;outline-offset:3px}
svg{position:absolute;inset:12px;width:32px;height:32px;fill:none;stroke:currentColor;stroke-width:2.1;stroke-linecap:round;stroke-linejoin:round;transition:opacity .14s ease-out,transform .14s ease-out}
.fill{fill:currentColor;stroke:none}
svg+svg,.open svg{opacity:0;transform:rotate(-45deg)}
.open svg+svg{opacity:1;transform:none}
i{position:absolute;right:1px;top:1px;width:14px;height:14px;border-radius:50%;background:#d64545;border:2px solid #fff;box-sizing:border-box}
[data-unread="0"] i,.open i{display:none}`;

const PANEL = `.panel{position:fixed;right:24px;bottom:96px;width:376px;height:600px;max-width:calc(100vw - 48px);max-height:calc(100vh - 120px);border-radius:16px;overflow:hidden;background:linear-gradient(#17755a 64px,#f5f7f6 64px);box-shadow:0 12px 48px rgba(16,32,26,.22),0 0 0 1px rgba(16,32,26,.06);visibility:hidden;opacity:0;transform:translateY(8px);transition:opacity .14s ease-out,transform .14s ease-out,visibility 0s .14s}
.panel.open{visibility:visible;opacity:1;transform:none;transition-delay:0s}
iframe{position:absolute;inset:0;width:100%;height:100%;border:0;color-scheme:light dark}
@media (prefers-color-scheme:dark){.panel{background:linear-gradient(#1b7d5f 64px,#0e1311 64px);box-shadow:0 12px 48px rgba(0,0,0,.6),0 0 0 1px #27302b}}
@media (max-width:480px){.panel{inset:0;width:100vw;height:100vh;height:100dvh;max-width:none;max-height:none;border-radius:0}button.open{display:none}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}`;

export const CSS = BUTTON + PANEL;
