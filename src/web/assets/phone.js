// The phone: a thread of bubbles, and what lies under them.

import { counted, dayAndTimeOf, el, linked, timeOf } from "./dom.js";

/** A silence after which the time is shown between two texts, in milliseconds. */
const PAUSE_MS = 15 * 60 * 1000;

/** Closer to the end than this, the thread follows new texts, in pixels. */
const NEAR_END_PX = 120;

const STATES = {
  pending: "Waiting",
  accepted: "Accepted",
  queued: "Queued",
  sending: "Sending",
  sent: "Sent",
  unknown: "Not certain",
  suppressed: "Not sent",
  undelivered: "Not delivered",
  failed: "Failed",
  delivered: "Delivered",
  read: "Read",
};
const BROKEN = new Set(["suppressed", "undelivered", "failed", "unknown"]);

export class Phone {
  #thread = document.getElementById("thread");
  #log = document.getElementById("log");
  #empty = document.getElementById("empty");
  #typing = document.getElementById("typing");
  #bubbles = new Map();
  #last = null;

  /** Empties the screen, for another patient. */
  clear() {
    this.#log.replaceChildren();
    this.#bubbles.clear();
    this.#last = null;
    this.#empty.hidden = true;
    this.typing(false);
  }

  /** Shows the turns, oldest first: new ones are added, known ones get their new state. */
  show(turns) {
    const follow = this.#nearEnd();
    const grown = this.#bubbles.size;
    for (const turn of turns) {
      const bubble = this.#bubbles.get(turn.id) ?? this.#add(turn);
      describe(bubble.meta, turn);
    }
    const own = turns.filter((turn) => turn.direction === "inbound");
    for (const turn of own) this.#bubbles.get(turn.id).meta.hidden = turn !== own.at(-1);
    this.#empty.hidden = turns.length > 0;
    if (follow || this.#bubbles.size > grown) this.toEnd(grown > 0);
  }

  /** Shows or hides the three dots. */
  typing(on) {
    if (this.#typing.hidden !== on) return;
    const follow = this.#nearEnd();
    this.#typing.hidden = !on;
    if (follow) this.toEnd(true);
  }

  /** Scrolls to the newest text. */
  toEnd(smooth = false) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#thread.scrollTo({
      top: this.#thread.scrollHeight,
      behavior: smooth && !calm ? "smooth" : "instant",
    });
  }

  #nearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#thread;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #add(turn) {
    const at = new Date(turn.at);
    if (!this.#last || at - this.#last.at > PAUSE_MS) {
      this.#log.append(el("p", { class: "pause" }, dayAndTimeOf(at)));
    }
    const own = turn.direction === "inbound";
    const meta = el("p", { class: "meta" });
    const run = this.#last && this.#last.own === own && at - this.#last.at < PAUSE_MS;
    const bubble = el(
      "div",
      { class: `turn ${own ? "own" : "theirs"}${run ? " run" : ""}` },
      el(
        "div",
        { class: "bubble", title: dayAndTimeOf(at), dir: "auto" },
        el("span", { class: "hidden" }, own ? "You: " : "The practice: "),
        ...linked(turn.body),
      ),
      meta,
    );
    this.#log.append(bubble);
    this.#last = { at, own };
    const entry = { bubble, meta };
    this.#bubbles.set(turn.id, entry);
    return entry;
  }
}

/** The small line under a bubble. */
function describe(meta, turn) {
  const time = timeOf(new Date(turn.at));
  if (turn.direction === "inbound") {
    replaceText(meta, `Received ${time}`);
    return;
  }
  const parts = [STATES[turn.status] ?? turn.status, time];
  if (turn.segments) parts.push(counted(turn.segments, "segment"));
  if (turn.price) parts.push(`about $${turn.price}`);
  if (turn.reason) parts.push(turn.reason);
  replaceText(meta, parts.join(" · "));
  meta.classList.toggle("broken", BROKEN.has(turn.status));
}

function replaceText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
