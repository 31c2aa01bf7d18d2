// The console: live parts, the verdict while typing, and keys. Every form works without it.
import { counted, el } from "./dom.js";
import { morph } from "./morph.js";
import { named, naming } from "./names.js";
import { session } from "./session.js";

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const { leave } = session(() => refresh());

/* Live parts: a tick says that something changed, the page is asked for anew, and its parts are exchanged. */
const PARTS = ["tabs", "queues", "lines", "state", "acts", "alerts", "texts", "holds", "facts"];
let asking = false;
let again = false;
let unseen = false;
// Somebody is before the page while it is in sight and they moved not long ago; only then is a new text read.
let moved = performance.now();
const watched = () => !document.hidden && performance.now() - moved < 60_000;
for (const event of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(event, () => {
  moved = performance.now();
  if (!unseen) return;
  unseen = false;
  refresh();
}, { passive: true });

async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { "x-live": watched() ? "look" : "1" } });
    if (answer.status === 401) return leave();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of PARTS) exchange(id, fresh);
    unseen = one("#talk", fresh)?.dataset.unread !== undefined;
    mark();
  } finally {
    asking = false;
    if (again) { again = false; refresh(); }
  }
}

function exchange(id, fresh) {
  const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
  if (!old || !next || old.innerHTML === next.innerHTML) return;
  // A menu that is open stays as it is until it is closed.
  if (one("details.menu[open], :popover-open", old)) return;
  const low = id === "texts" && old.scrollHeight - old.scrollTop - old.clientHeight < 80;
  morph(old, next);
  if (low) old.scrollTop = old.scrollHeight;
}

if (one("#lines")) {
  const stream = new EventSource("/console/events");
  let timer = 0;
  stream.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 120);
  });
  stream.addEventListener("writing", (event) => beside(JSON.parse(event.data)));
  addEventListener("visibilitychange", () => { if (!document.hidden) { moved = performance.now(); refresh(); } });
}
const texts = one("#texts");
if (texts) texts.scrollTop = texts.scrollHeight;

/* Company: who else writes here. It says so and goes by itself; it never keeps anybody from sending. */
const company = one("#company");
const others = new Map();
function beside(told) {
  if (!company || String(told.conversation) !== one("#talk")?.dataset.id) return;
  clearTimeout(others.get(told.staff)?.timer);
  others.delete(told.staff);
  if (told.seconds > 0) {
    const timer = setTimeout(() => beside({ ...told, seconds: 0 }), told.seconds * 1000);
    others.set(told.staff, { who: told.who, timer });
  }
  company.replaceChildren(...[...others.values()].flatMap(({ who }) => [el("bdi", {}, who), " is writing here too. "]));
  company.hidden = others.size === 0;
}
if (company && !company.hidden) {
  const longest = Math.max(...all("[data-seconds]", company).map((it) => Number(it.dataset.seconds)));
  setTimeout(() => { if (others.size === 0) company.hidden = true; }, longest * 1000);
}

/* The window of WhatsApp, counted from the server's word: the browser's clock may be wrong. */
setInterval(() => {
  const window = one("#window");
  if (!window) return;
  const left = Number(window.dataset.seconds) - 15;
  window.dataset.seconds = left;
  if (left <= 0) return refresh();
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60)];
  window.textContent = hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}, 15_000);

/* Menus close when one goes elsewhere. */
addEventListener("click", (event) => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  one("summary", menu).focus();
});
function unfold(id) {
  const menu = one(`#${id}`);
  if (!menu) return;
  menu.open = true;
  one("button, a", menu)?.focus();
}

/* Writing: what the guardrail would do, while the words are written. */
const form = one("#write");
const box = one("#text");
const verdict = one("#verdict");
const talk = one("#talk")?.dataset.id;
// Whoever opted out gets no text: what is written goes by portal, or is a note.
const behindOnly = form?.dataset.behind !== undefined;
const main = one("#send") ?? one("#portal") ?? one("#note");
let wanted = 0;
let asked = 0;
let sent = false;

if (form && box) {
  naming(box, one("#names-list"));
  grow();
  if (box.value) ask();
  let timer = 0;
  box.addEventListener("input", () => {
    one("#seen").value = "";
    grow();
    clearTimeout(timer);
    // Whoever writes without a pause is heard of too.
    if (performance.now() - asked > 3000) ask();
    else timer = setTimeout(ask, 250);
  });
  box.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(main); }
    if (event.key === "Escape") box.blur();
  });
  form.addEventListener("submit", (event) => {
    // A note is a form like any other; only an answer is sent from here.
    if (event.submitter?.id === "note") return;
    event.preventDefault();
    event.stopPropagation();
    send(event.submitter?.id === "portal" ? event.submitter.formAction : form.action);
  });
  // What does not fit is told: a browser cuts a long paste without a word.
  box.addEventListener("paste", (event) => {
    const more = event.clipboardData?.getData("text").length ?? 0;
    if (box.value.length - (box.selectionEnd - box.selectionStart) + more <= box.maxLength) return;
    setTimeout(() => say("A text has at most 4,000 characters. What was pasted is longer: only its beginning is here."), 600);
  });
  // Leaving with words that were not sent asks first.
  addEventListener("submit", (event) => { if (event.target === form && !event.defaultPrevented) sent = true; });
  addEventListener("beforeunload", (event) => { if (!sent && box.value.trim()) event.preventDefault(); });
  const canned = one("#canned");
  if (canned) {
    canned.hidden = false;
    canned.addEventListener("change", () => {
      const space = box.value && !/\s$/.test(box.value) ? " " : "";
      box.value += space + canned.value;
      canned.value = "";
      box.dispatchEvent(new Event("input"));
      box.focus();
    });
  }
}

function grow() {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 240)}px`;
}

const fields = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));

async function ask() {
  const mine = ++wanted;
  asked = performance.now();
  const text = box.value.trim();
  if (behindOnly) return;
  if (!text) return still();
  const answer = await fetch(`/console/review/${talk}`, { method: "POST", body: fields(), headers: { "x-script": "1" } });
  if (mine !== wanted) return;
  if (answer.status === 401) return leave();
  if (answer.ok) show(await answer.json());
}

let sending = false;
let warned = "";
async function send(to) {
  if (sending || !box.value.trim()) return;
  // A note that would go to the patient: said once, and sent the second time.
  if (named(box.value, box.dataset.colleagues) && warned !== box.value) {
    warned = box.value;
    return say("This names a colleague. Keep it as a note, or send it again if the patient shall read it.");
  }
  sending = true;
  main.disabled = true;
  try {
    // Files go with a secure message alone; by text they would be left out without a word.
    const files = one("#files")?.files?.length > 0;
    const behind = to.includes("/portal/");
    if (files && !behind) return say("Files go by portal only. Choose By portal, or take the files off.");
    const body = files ? new FormData(form) : fields();
    const answer = await fetch(to, { method: "POST", body, headers: { "x-script": "1" } });
    if (answer.status === 401) return leave();
    const told = await answer.json();
    if (told.outcome === "sent") {
      box.value = "";
      one("#seen").value = "";
      one("#hold-of").value = "";
      if (files) { one("#files").value = ""; one("#attach").open = false; }
      still();
      grow();
      if (behindOnly) {
        say("It waits in the portal. Nothing was texted.");
        verdict.className = "verdict";
      }
      refresh();
    } else if (told.outcome) {
      show(told);
    } else {
      say(told.detail ?? "It was not sent. Try again.");
    }
  } catch {
    say("The server does not answer. Nothing is lost; try again in a moment.");
  } finally {
    sending = false;
    main.disabled = false;
    box.focus();
  }
}

/* Nothing is written: nothing is said of it. */
function still() {
  verdict.hidden = true;
  one("#segments").textContent = "";
  if (!behindOnly) main.textContent = "Send";
}

function say(words) {
  verdict.className = "verdict hold";
  verdict.replaceChildren(el("p", {}, words));
  verdict.hidden = false;
}

function show(told) {
  one("#segments").textContent = told.segments ? counted(told.segments, "segment") : "";
  if (!behindOnly) main.textContent = "Send";
  if (told.verdict === "pass") { verdict.hidden = true; return; }
  const marked = el("p", { class: "draft" }, ...told.pieces.map((piece) => piece.category
    ? el("mark", { class: piece.action, title: `${piece.category} · ${piece.rule} · ${piece.cite}` }, piece.text)
    : piece.text));
  if (told.verdict === "hold" || !told.text) {
    verdict.className = "verdict hold";
    verdict.replaceChildren(el("p", {}, el("strong", {}, "This cannot be texted. "), told.closed ?? "Leave out what is marked."), marked);
  } else {
    verdict.className = "verdict rewrite";
    verdict.replaceChildren(
      el("p", {}, el("strong", {}, "The patient would get this: ")),
      el("p", { class: "safe" }, told.text),
      told.portal ? el("p", { class: "sub" }, "Behind the link: ", told.portal) : null,
      el("details", {}, el("summary", {}, counted(told.findings.length, "finding")), marked),
    );
    one("#seen").value = told.text;
    if (!behindOnly) main.textContent = "Send the safe version";
  }
  verdict.hidden = false;
}

addEventListener("click", (event) => {
  const use = event.target.closest(".use");
  if (!use || !box) return;
  box.value = use.dataset.text;
  one("#hold-of").value = use.dataset.hold;
  box.dispatchEvent(new Event("input"));
  box.focus();
});

/* A page that is made for paper says so itself where a script can. */
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

/* On a phone a row of a table is a card: each value says of which column it is. */
for (const table of all("table.rows:not(.prompts, .tight)")) {
  const heads = all("thead th", table).map((it) => (one(".hidden", it) ? "" : it.firstChild?.textContent.trim() ?? ""));
  table.classList.add("stacks");
  table.setAttribute("role", "table");
  for (const part of all("thead, tbody", table)) part.setAttribute("role", "rowgroup");
  for (const row of all("tr", table)) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, place) => {
      const head = cell.tagName === "TH";
      cell.setAttribute("role", head ? (cell.closest("thead") ? "columnheader" : "rowheader") : "cell");
      if (!head) cell.dataset.of = heads[place] ?? "";
    });
  }
}

/* Where a row of links is wider than the screen, the one that is open is in sight. */
const narrow = matchMedia("(max-width: 820px)");
function sight() {
  for (const it of all(".tabs [aria-current], .queues [aria-current], .steps [aria-current]")) it.scrollIntoView({ block: "nearest", inline: "center" });
}
narrow.addEventListener("change", sight);
if (narrow.matches) sight();

/* Keys. */
let at = -1;
const lines = () => all("#lines .line");
function mark() {
  const open = lines().findIndex((line) => line.dataset.id === talk);
  if (at < 0 && open >= 0) at = open;
  lines().forEach((line, index) => line.classList.toggle("at", index === at));
}
function move(by) {
  const count = lines().length;
  if (!count) return;
  at = Math.max(0, Math.min(count - 1, at + by));
  mark();
  lines()[at].scrollIntoView({ block: "nearest" });
}
mark();

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  Enter: () => one("a", lines()[at])?.click(),
  r: () => box?.focus(),
  a: () => one("#take")?.click(),
  e: () => (one(".aside") ?? one("#done"))?.click(),
  s: () => unfold("snooze"),
  m: () => unfold("assign"),
  l: () => unfold("labelling"),
  z: () => one("#undo")?.click(),
  i: () => one(".use")?.click(),
  u: () => one("#unread")?.click(),
  "/": () => one("#q")?.focus(),
  "?": () => one("#help")?.showModal(),
};
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act || !one("#lines")) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  event.preventDefault();
  act();
});
