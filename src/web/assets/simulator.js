// The phone simulator: who texts, what they send, and what comes back, live.

import { el, initials, phoneNumber, timeOf } from "./dom.js";
import { Glass } from "./glass.js";
import { Phone } from "./phone.js";

/** How often to ask when the event stream is down, in milliseconds. */
const POLL_MS = 2000;

/** How long the three dots may go on without an answer, in milliseconds. */
const TYPING_MS = 25000;

const SUGGESTIONS = [
  "When is my appointment?",
  "Can I move it to Thursday?",
  "Are my biopsy results in?",
  "¿Qué días abren?",
];
const CHIPS = ["YES", "NO", "STOP", "HELP"];

const byId = (id) => document.getElementById(id);
const phone = new Phone();
const glass = new Glass();
const draft = byId("draft");

let person = null;
let sentAt = 0;
let asking = false;
let askAgain = false;
let poll = null;

async function fetchJson(address) {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(await problemOf(answer));
  return answer.json();
}

/** What a problem answer says, in a sentence. */
async function problemOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? `the server answered ${answer.status}`;
}

/** Asks for the thread and the glass; requests that come meanwhile are joined into one more. */
async function refresh() {
  if (!person) return;
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  const asked = person;
  try {
    const query = `?with=${encodeURIComponent(asked.number)}`;
    const [turns, panes] = await Promise.all([
      fetchJson(`simulator/messages${query}`),
      fetchJson(`simulator/glass${query}`),
    ]);
    if (asked === person) show(turns, panes);
  } catch (error) {
    fault(`Cannot load the conversation: ${error.message}.`);
  } finally {
    asking = false;
  }
  if (askAgain) {
    askAgain = false;
    await refresh();
  }
}

function show(turns, panes) {
  const own = turns.filter((turn) => [turn.from, turn.to].includes(person.practice_number));
  phone.show(own);
  glass.show(panes);
  const last = own.at(-1);
  const judged = panes.some((pane) => last && new Date(pane.at) >= new Date(last.at));
  const waiting = last?.direction === "inbound" && !judged && Date.now() - sentAt < TYPING_MS;
  phone.typing(waiting);
}

async function send(body) {
  if (!person || body.trim() === "") return;
  const to = person;
  fault("");
  byId("send").disabled = true;
  try {
    const answer = await fetch("simulator/messages", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ from: to.number, to: to.practice_number, body }),
    });
    if (!answer.ok) throw new Error(await problemOf(answer));
    sentAt = Date.now();
    setTimeout(refresh, TYPING_MS);
    if (draft.value === body) draft.value = "";
  } catch (error) {
    fault(`Not sent: ${error.message}.`);
  }
  fit();
  await refresh();
  phone.toEnd(true);
}

function fault(text) {
  byId("fault").textContent = text;
  byId("fault").hidden = text === "";
}

/** Makes the message box as high as its text, and the button ready when there is one. */
function fit() {
  draft.style.height = "auto";
  draft.style.height = `${Math.min(draft.scrollHeight, 120)}px`;
  byId("send").disabled = draft.value.trim() === "";
}

/** Shows what the chosen phone does with texts. */
async function showReach() {
  const asked = person;
  const reach = byId("reach");
  // Until this phone's own state is known, another's is not to be taken for it.
  reach.disabled = true;
  const known = await fetchJson(`simulator/phone?with=${encodeURIComponent(asked.number)}`);
  if (asked !== person) return;
  reach.value = known.state;
  reach.disabled = false;
}

/** Switches the phone on or off, or lets it block the practice at the carrier. */
async function setReach(state) {
  fault("");
  try {
    const answer = await fetch("simulator/phone", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number: person.number, state }),
    });
    if (!answer.ok) throw new Error(await problemOf(answer));
  } catch (error) {
    fault(`The phone is as it was: ${error.message}.`);
    await showReach().catch(() => {});
  }
}

function choose(chosen) {
  person = chosen;
  phone.clear();
  glass.clear();
  fault("");
  byId("who").textContent = chosen.name;
  byId("contact-name").textContent = chosen.practice_name;
  byId("contact-number").textContent = phoneNumber(chosen.practice_number);
  byId("avatar").textContent = initials(chosen.practice_name);
  sentAt = 0;
  if (narrow.matches) byId("people").open = false;
  showReach().catch((error) => fault(`Cannot ask the phone: ${error.message}.`));
  refresh();
}

function personCard(entry, index) {
  const input = el("input", {
    type: "radio",
    name: "person",
    value: index,
    onchange: () => choose(entry),
  });
  return el(
    "label",
    { class: "person" },
    input,
    el("span", { class: "avatar", "aria-hidden": "true" }, initials(entry.name)),
    el(
      "span",
      { class: "words" },
      el("strong", {}, entry.name),
      el("span", { class: "note" }, entry.note),
      el("span", { class: "number" }, phoneNumber(entry.number)),
    ),
  );
}

function chip(text) {
  return el("button", { type: "button", class: "chip", onclick: () => send(text) }, text);
}

/** Listens for changes; while the stream is down, asks every now and then. */
function listen() {
  const stream = new EventSource("simulator/events");
  stream.addEventListener("open", () => {
    live(true);
    refresh();
  });
  stream.addEventListener("change", refresh);
  stream.addEventListener("error", () => live(false));
}

function live(on) {
  byId("live").classList.toggle("on", on);
  byId("live-text").textContent = on ? "Live" : "Reconnecting";
  clearInterval(poll);
  poll = on ? null : setInterval(refresh, POLL_MS);
}

function tick() {
  byId("clock").textContent = timeOf(new Date()).replace(/\s?[AP]M$/iu, "");
}

const narrow = matchMedia("(max-width: 1119px)");
const small = matchMedia("(max-width: 759px)");
const fold = () => {
  byId("people").open = !narrow.matches;
  byId("glass").open = !small.matches;
};

async function start() {
  narrow.addEventListener("change", fold);
  small.addEventListener("change", fold);
  fold();
  byId("suggestions").append(...SUGGESTIONS.map(chip));
  byId("chips").append(...CHIPS.map(chip));
  byId("reach").addEventListener("change", (event) => setReach(event.target.value));
  draft.addEventListener("input", fit);
  draft.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(draft.value);
  });
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(draft.value);
    draft.focus();
  });
  tick();
  setInterval(tick, 5000);
  try {
    const people = await fetchJson("simulator/people");
    byId("people-list").append(...people.map(personCard));
    const first = byId("people-list").querySelector("input");
    if (first) {
      first.checked = true;
      choose(people[0]);
    } else {
      fault("There is no sample patient to text as.");
    }
  } catch (error) {
    fault(`Cannot load the sample patients: ${error.message}.`);
  }
  listen();
}

start();
