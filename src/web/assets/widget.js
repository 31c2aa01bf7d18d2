// The chat button. It sets no cookie, keeps nothing, and reads nothing of the page but the language and
// colour of its own tag: <script src="https://HOST/chat/PRACTICE/widget.js" data-lang="es" data-color="#0b625e" async>.
"use strict";
(() => {
  const tag = document.currentScript;
  if (!tag || document.querySelector("anteroom-chat")) return;
  const source = new URL(tag.src);
  const home = source.origin;
  const page = source.href.replace(/\/widget\.js.*$/, "");
  const wanted = (tag.dataset.lang || document.documentElement.lang || "en").toLowerCase();
  const spanish = wanted === "es" || wanted.startsWith("es-");
  const color = /^#[0-9a-f]{6}$/i.test(tag.dataset.color || "") ? tag.dataset.color : "#0b625e";
  const words = spanish
    ? { open: "Abrir el chat", close: "Cerrar el chat", title: "Chat con el consultorio", one: "mensaje nuevo", more: "mensajes nuevos" }
    : { open: "Open the chat", close: "Close the chat", title: "Chat with the practice", one: "new message", more: "new messages" };

  // White or black, whichever is easier to read on the colour (WCAG 2.2, relative luminance).
  const light = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4))
    .reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
  const ink = 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";

  const rules = `
    :host { all: initial; }
    button { position: fixed; right: 20px; bottom: calc(20px + env(safe-area-inset-bottom)); z-index: 2147483000; width: 60px; height: 60px;
      padding: 0; border: 0; border-radius: 50%; color: ${ink}; background: ${color}; cursor: pointer;
      box-shadow: 0 2px 6px rgba(0,0,0,.22), 0 8px 24px rgba(0,0,0,.18); }
    button:focus-visible { outline: 3px solid #e0a526; outline-offset: 3px; }
    svg { display: block; margin: auto; width: 30px; height: 30px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 5px; border-radius: 11px; box-sizing: border-box;
      background: #b3261e; color: #fff; font: 700 13px/22px system-ui, sans-serif; }
    iframe { position: fixed; right: 20px; bottom: calc(94px + env(safe-area-inset-bottom)); z-index: 2147483000; width: 400px; height: min(640px, calc(100vh - 114px));
      border: 0; border-radius: 16px; background: #fff; color-scheme: normal;
      box-shadow: 0 4px 12px rgba(0,0,0,.18), 0 16px 48px rgba(0,0,0,.24); }
    [hidden] { display: none; }
    @media (max-width: 560px), (max-height: 480px) {
      iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; box-shadow: none; }
      button[aria-expanded="true"] { display: none; }
    }
    @media (prefers-color-scheme: dark) { iframe { background: #1a2326; } }
    @media (forced-colors: active) { button { border: 2px solid; } }
    @media print { button, iframe { display: none; } }`;

  const host = document.createElement("anteroom-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-haspopup", "dialog");
  const drawn = (path) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(space, "path"));
    svg.firstChild.setAttribute("d", path);
    return svg;
  };
  const bubble = drawn("M21 12a8 8 0 0 1-8 8H4l1.800-3.100A8 8 0 1 1 21 12zM9 10.500h8M9 14h5");
  const arrow = drawn("M6 9.500l6 6 6-6");
  const count = document.createElement("span");
  count.className = "count";
  button.append(bubble, arrow, count);
  root.append(button);

  let frame = null;
  let loaded = false;
  let open = false;
  let unread = 0;
  const told = () => {
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", (open ? words.close : words.open) + (unread && !open ? `, ${unread} ${unread === 1 ? words.one : words.more}` : ""));
    bubble.toggleAttribute("hidden", open);
    arrow.toggleAttribute("hidden", !open);
    count.hidden = open || !unread;
    count.textContent = unread > 9 ? "9+" : String(unread);
    if (frame) frame.hidden = !open;
  };
  const say = () => { if (loaded) frame.contentWindow.postMessage({ anteroom: open ? "open" : "closed" }, home); };
  const toggle = (wish) => {
    open = wish;
    if (open && !frame) {
      frame = document.createElement("iframe");
      frame.title = words.title;
      frame.loading = "lazy";
      frame.referrerPolicy = "no-referrer";
      frame.allow = "";
      frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox");
      frame.addEventListener("load", () => { loaded = true; say(); });
      frame.src = `${page}?lang=${spanish ? "es" : "en"}`;
      root.prepend(frame);
    }
    told();
    say();
    if (open) frame.focus(); else button.focus();
  };
  button.addEventListener("click", () => toggle(!open));
  root.addEventListener("keydown", (event) => { if (event.key === "Escape" && open) toggle(false); });
  window.addEventListener("message", (event) => {
    if (!frame || event.origin !== home || event.source !== frame.contentWindow || !event.data) return;
    if (event.data.anteroom === "close" && open) toggle(false);
    if (event.data.anteroom === "unread" && Number.isInteger(event.data.unread) && event.data.unread >= 0) {
      unread = event.data.unread;
      told();
    }
  });
  told();
  const place = () => document.body.append(host);
  if (document.body) place(); else document.addEventListener("DOMContentLoaded", place);
})();
