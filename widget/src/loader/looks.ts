// How launcher and panel look. The panel shows its colours before the app is there, so that opening
// is at once on a slow phone too.

/** An icon of paths: the first of several is filled, the others are strokes. */
export function icon(paths: readonly string[], viewBox: string): SVGElement {
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

const BUTTON = `button{all:initial;position:fixed;right:calc(24px + env(safe-area-inset-right,0px));bottom:calc(24px + env(safe-area-inset-bottom,0px));width:56px;height:56px;border-radius:50%;background:#17755a;color:#fff;cursor:pointer;box-shadow:0 6px 20px rgba(16,32,26,.24);transition:transform .14s ease-out,background .14s ease-out}
button:hover{background:#12664e}
button:active{transform:scale(.95)}
button:focus-visible{outline:3px solid #2f6fed;outline-offset:3px}
svg{position:absolute;inset:12px;width:32px;height:32px;fill:none;stroke:currentColor;stroke-width:4.2;stroke-linecap:round;stroke-linejoin:round;transition:opacity .14s ease-out,transform .14s ease-out}
.fill{fill:currentColor;stroke:none}
svg+svg{stroke-width:2.1}
svg+svg,.open svg{opacity:0;transform:rotate(-45deg)}
.open svg+svg{opacity:1;transform:none}
i{position:absolute;right:1px;top:1px;width:14px;height:14px;border-radius:50%;background:#d64545;border:2px solid #fff;box-sizing:border-box}
[data-unread="0"] i,.open i{display:none}`;

const PANEL = `.panel{position:fixed;right:24px;bottom:96px;width:376px;height:600px;max-width:calc(100vw - 48px);max-height:calc(100vh - 120px);border-radius:16px;overflow:hidden;background:linear-gradient(#17755a 64px,#f5f7f6 64px);box-shadow:0 12px 48px rgba(16,32,26,.22),0 0 0 1px rgba(16,32,26,.06);visibility:hidden;opacity:0;transform:translateY(8px);transition:opacity .14s ease-out,transform .14s ease-out,visibility 0s .14s}
.panel.open{visibility:visible;opacity:1;transform:none;transition-delay:0s}
iframe{width:100%;height:100%;border:0;color-scheme:light dark;opacity:0;transition:opacity .14s ease-out}
.ready iframe{opacity:1}
p{position:absolute;top:50%;width:100%;margin:0;text-align:center;font:14px system-ui,sans-serif;color:#606d66}
@media (prefers-color-scheme:dark){p{color:#8f9c95}.panel{background:linear-gradient(#1b7d5f 64px,#0e1311 64px);box-shadow:0 12px 48px rgba(0,0,0,.6),0 0 0 1px #27302b}}
@media (max-width:480px){.panel{inset:0;width:100vw;height:100vh;height:100dvh;max-width:none;max-height:none;border-radius:0;box-sizing:border-box;padding:env(safe-area-inset-top,0px) env(safe-area-inset-right,0px) env(safe-area-inset-bottom,0px) env(safe-area-inset-left,0px)}button.open{display:none}}
@media print{*{display:none!important}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}`;

export const CSS = BUTTON + PANEL;
