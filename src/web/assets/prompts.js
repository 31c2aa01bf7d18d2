// Prompts: a run of the suites that is watched, names put in at the cursor, and the phone while the
// words are written. Every form works without it.
import { counted, el } from "./dom.js";

const one = (selector, root = document) => root.querySelector(selector);

/* A run: asked for each second; when it has ended the page is asked for anew. */
async function watch() {
  while (one("[data-running]")) {
    await new Promise((done) => { setTimeout(done, 700); });
    const answer = await fetch("/console/prompts/gate", { headers: { "x-live": "1" } });
    if (!answer.ok) return;
    const run = await answer.json();
    if (run === null) return location.replace("/console/prompts#gate"), location.reload();
    const wrong = run.wrong > 0 ? `, ${run.wrong} did not hold` : "";
    one("#ran").textContent = run.of > 0 ? `${run.done} of ${run.of} cases${wrong}` : "The suites are being read";
    const bar = one("#bar");
    bar.max = Math.max(run.of, 1);
    bar.value = run.done;
  }
}
watch();

/* The editor. */
const form = one("#edit");
const box = one("#text");
if (form && box) {
  const shown = one("#shown");
  const system = one(".phone h2").textContent.startsWith("What the model");
  let wanted = 0;
  let timer = 0;
  let saved = box.value;
  const count = () => { one("#counted").textContent = `${box.value.length} of ${box.maxLength} characters`; };

  const ask = async () => {
    const mine = ++wanted;
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value !== "" && name !== "seen") fields.append(name, value);
    }
    const answer = await fetch(form.dataset.try, { method: "POST", body: fields, headers: { "x-script": "1" } });
    if (mine !== wanted) return;
    if (answer.status === 401) { shown.replaceChildren(el("p", { class: "fault" }, "You were signed out. Your words are still here: sign in in another tab, then go on.")); return; }
    if (answer.ok) show(await answer.json());
  };

  const show = (told) => {
    if (told.fault) { shown.replaceChildren(el("p", { class: "fault" }, told.fault)); return; }
    if (system) { shown.replaceChildren(el("p", { class: "source" }, told.said)); return; }
    const words = { pass: "leaves as written", rewrite: "details go behind the link", hold: "would be held" };
    const tone = { pass: "good", rewrite: "wait", hold: "stop" };
    const marked = told.verdict === "pass" ? null : el("p", { class: "draft" }, ...told.pieces.map((piece) => piece.category
      ? el("mark", { class: piece.action, title: `${piece.category} · ${piece.rule} · ${piece.cite}` }, piece.text)
      : piece.text));
    shown.replaceChildren(...[
      el("p", { class: "bubble", lang: box.lang }, told.text ?? "Nothing is sent"),
      el("p", { class: "meta" },
        el("span", { class: `pill ${tone[told.verdict]}` }, words[told.verdict]),
        ` ${counted(told.segments, "segment")}${told.price ? ` · about $${told.price}` : ""}`),
      marked,
    ].filter(Boolean));
  };

  const soon = () => { count(); clearTimeout(timer); timer = setTimeout(ask, 250); };
  box.addEventListener("input", soon);
  for (const value of document.querySelectorAll(".value")) value.addEventListener("change", ask);
  addEventListener("click", (event) => {
    const insert = event.target.closest(".insert");
    if (!insert) return;
    box.focus();
    box.setRangeText(`{{ ${insert.dataset.name} }}`, box.selectionStart, box.selectionEnd, "end");
    soon();
  });
  /* Leaving with words that are not saved asks first. */
  form.addEventListener("submit", () => { saved = box.value; });
  addEventListener("beforeunload", (event) => { if (box.value !== saved) event.preventDefault(); });
  count();
}
