// The set-up: lights that turn green by themselves, and the digest of a document that never leaves this
// machine. Every form works without it.
import { el } from "./dom.js";

const one = (selector, root = document) => root.querySelector(selector);

async function watch() {
  while (one("[data-watch]")) {
    await new Promise((done) => { setTimeout(done, 2000); });
    if (document.hidden) continue;
    const answer = await fetch("/console/setup/light", { headers: { "x-live": "1" } });
    if (!answer.ok) return;
    const told = await answer.json();
    const light = one("#light");
    if (light && one("p", light).textContent !== told.light.words) {
      light.className = `light ${told.light.tone}`;
      one("p", light).textContent = told.light.words;
    }
    const own = one("#own");
    if (own && told.own && one("p", own).textContent !== told.own.words) {
      own.className = `light ${told.own.tone}`;
      one("p", own).textContent = told.own.words;
    }
    for (const [at, row] of [...document.querySelectorAll("#test > li")].entries()) {
      const { done } = told.test[at];
      row.className = `light ${done ? "good" : "wait"}`;
      one(".hidden", row).textContent = done ? ": yes" : ": not yet";
    }
  }
}
watch();

/* The document is read and hashed here; only its digest is sent. */
for (const box of document.querySelectorAll(".sum-of")) {
  if (!globalThis.crypto?.subtle) break;
  const file = el("input", { type: "file", id: `${box.id}-file` });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    const digest = await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer());
    box.value = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });
  box.closest("p").after(el("p", {}, el("label", { for: file.id }, "…or choose the document; it stays on this machine"), file));
}

/* The model's fields matter only where a model drafts. */
const kind = one("#llm_kind");
if (kind) {
  const fit = () => { for (const row of document.querySelectorAll(".model")) row.hidden = kind.value !== "openai"; };
  kind.addEventListener("change", fit);
  fit();
}
