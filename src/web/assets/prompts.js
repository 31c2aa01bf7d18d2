// Prompts: a run of the suites that is watched, names put in at the cursor, and the phone while the
// words are written. Every form works without it.
import { counted, el } from "./dom.js";
import { variables } from "./names.js";

const one = (selector, root = document) => root.querySelector(selector);

/* A run: asked for each second; when it has ended the page is asked for anew. */
async function watch() {
  while (one("[data-running]")) {
    await new Promise((done) => { setTimeout(done, 700); });
    const home = one("[data-running]").dataset.running || "/console/prompts";
    const answer = await fetch(`${home}/gate`, { headers: { "x-live": "1" } });
    if (!answer.ok) return;
    const run = await answer.json();
    if (run === null) return location.replace(`${home}#gate`), location.reload();
    const wrong = run.wrong > 0 ? `, ${run.wrong} did not hold` : "";
    one("#ran").textContent = run.of > 0 ? `${run.done} of ${run.of} cases${wrong}` : "The suites are being read";
    const bar = one("#bar");
    bar.max = Math.max(run.of, 1);
    bar.value = run.done;
  }
}
watch();

const words = { pass: "leaves as written", rewrite: "details go behind the link", hold: "would be held" };
const tone = { pass: "good", rewrite: "wait", hold: "stop" };

/** Segments, price and time of one text. */
function figures(told) {
  const price = told.price ? ` · about $${told.price}` : "";
  const time = told.micros === undefined ? "" : ` · ${told.micros < 1000 ? `${told.micros} µs` : `${(told.micros / 1000).toFixed(1)} ms`}`;
  return `${counted(told.segments, "segment")}${price}${time}`;
}

/** One answer, as it stands in force or would be. */
function side(title, told, mark) {
  const said = told.pieces ? told.pieces.map((piece) => (piece.changed ? el(mark, {}, piece.text) : piece.text)) : [];
  return el("div", {}, el("h4", {}, title),
    told.pieces ? el("p", { class: "bubble" }, ...(told.sent ? said : ["Nothing is sent"])) : null,
    el("p", { class: "meta" }, el("span", { class: `pill ${tone[told.verdict]}` }, words[told.verdict]), ` ${figures(told)}`));
}

/** What became of recent texts. */
function recent(told) {
  if (told.texts === 0) return [el("p", { class: "empty" }, "No patient has asked anything yet.")];
  const sum = el("p", { class: told.worse > 0 ? "fault" : "note" },
    `${counted(told.texts, "recent text")} answered again: ${told.same} in the same words, ${told.changed.length} otherwise${told.worse > 0 ? `, ${told.worse} of them worse at the guardrail` : ""}.`);
  const hidden = told.changed.length > 0 && !told.reads
    ? [el("p", { class: "hint" }, "Your role sees no patients, so the words are not shown.")] : [];
  return [sum, ...hidden, ...told.changed.map((it) => el("article", { class: "change" },
    it.asked ? el("p", { class: "quoted", dir: "auto" }, it.asked) : null,
    el("div", { class: "sides" }, side("In force", it.before, "del"), side("Here", it.after, "ins"))))];
}

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
    const marked = told.verdict === "pass" ? null : el("p", { class: "draft" }, ...told.pieces.map((piece) => piece.category
      ? el("mark", { class: piece.action, title: `${piece.category} · ${piece.rule} · ${piece.cite}` }, piece.text)
      : piece.text));
    shown.replaceChildren(...[
      el("p", { class: "bubble", lang: box.lang }, told.text ?? "Nothing is sent"),
      el("p", { class: "meta" },
        el("span", { class: `pill ${tone[told.verdict]}` }, words[told.verdict]),
        ` ${figures(told)}`),
      marked,
    ].filter(Boolean));
  };

  /* The newest texts of patients, answered in force and in these words. */
  const again = one("#recent");
  const heard = one("#heard");
  if (again) {
    again.hidden = false;
    again.addEventListener("click", async () => {
      again.disabled = true;
      heard.replaceChildren(el("p", { class: "quiet" }, "Recent texts are being answered again…"));
      try {
        const answer = await fetch(form.dataset.recent, { method: "POST", body: new URLSearchParams({ csrf: form.elements.csrf.value, text: box.value }), headers: { "x-script": "1" } });
        if (answer.status === 401) { heard.replaceChildren(el("p", { class: "fault" }, "You were signed out. Your words are still here: sign in in another tab, then go on.")); return; }
        const told = await answer.json();
        heard.replaceChildren(...(answer.ok && !told.fault ? recent(told) : [el("p", { class: "fault" }, told.fault ?? told.detail ?? "It did not work. Try again.")]));
      } catch {
        heard.replaceChildren(el("p", { class: "fault" }, "The server does not answer. Nothing is lost; try again in a moment."));
      } finally {
        again.disabled = false;
      }
    });
  }

  const soon = () => { count(); clearTimeout(timer); timer = setTimeout(ask, 250); };
  variables(box, one("#variables-list"), [...document.querySelectorAll(".insert")].map((it) => it.dataset.name));
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
  addEventListener("submit", (event) => { if (event.target === form && !event.defaultPrevented) saved = box.value; });
  addEventListener("beforeunload", (event) => { if (box.value !== saved) event.preventDefault(); });
  count();
}
