// A session that ends takes nothing from whoever writes: the page is covered, and goes on where it was once
// they have signed in again in another tab. Nothing is stored on the device.
import { el } from "./dom.js";

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
/** How often the server hears of somebody who types or clicks, at most, in milliseconds. */
const HEARD_EVERY = 60_000;

/** Whether somebody changed something in a form that is not sent yet. */
function written(root) {
  return all("input, textarea, select", root).some((it) => {
    if (it.type === "hidden" || it.type === "search") return false;
    if (it.type === "checkbox" || it.type === "radio") return it.checked !== it.defaultChecked;
    if (it.type === "file") return it.files.length > 0;
    if (it.tagName === "SELECT") return it.selectedIndex !== Math.max(0, [...it.options].findIndex((option) => option.defaultSelected));
    return it.value.trim() !== "" && it.value !== it.defaultValue;
  });
}

/** Who is signed in, as the server says; false when nobody is. */
async function here() {
  const answer = await fetch("/console/here", { headers: { "x-script": "1" } });
  return answer.ok && !answer.redirected ? answer.json() : false;
}

/** Watches over the session of this page; `back` is called when it goes on. */
export function session(back) {
  const idle = Number(document.body.dataset.idle ?? 0) * 1000;
  const cover = one("#locked");
  // By the clock that only runs on: the clock of the day may be wrong, and may jump.
  let touched = performance.now();
  let heard = touched;

  function leave() {
    if (cover && written(document)) return lock();
    const next = encodeURIComponent(location.pathname + location.search);
    location.replace(`/console/sign-in?ended=1&next=${next}`);
  }

  function lock() {
    if (cover.open) return;
    for (const open of all(":popover-open")) open.hidePopover();
    for (const open of all("dialog[open]")) open.close();
    document.body.classList.add("locked");
    cover.showModal();
  }
  if (!cover) return { leave };

  // Whoever types or clicks is at work, though no page is asked for: the server hears of it.
  function touch() {
    touched = performance.now();
    if (touched - heard < HEARD_EVERY || cover.open) return;
    heard = touched;
    here().then((who) => { if (!who) leave(); }, () => {});
  }
  if (idle > 0) {
    for (const event of ["pointerdown", "keydown", "input"]) addEventListener(event, touch);
    setInterval(() => { if (performance.now() - touched > idle && !cover.open) leave(); }, 5000);
  }

  // Before words are sent the session is asked for: a form that met the door would lose them.
  const sure = new WeakSet();
  addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || sure.has(form) || !written(form)) return;
    event.preventDefault();
    if (form.dataset.asking) return;
    form.dataset.asking = "1";
    const by = event.submitter;
    try {
      if (!(await here())) return lock();
      sure.add(form);
      form.requestSubmit(by);
      sure.delete(form);
    } catch {
      one(".unsent", form)?.remove();
      form.append(el("p", { class: "fault unsent", role: "alert" }, "The server does not answer. Nothing is lost; try again in a moment."));
    } finally {
      delete form.dataset.asking;
    }
  });

  cover.addEventListener("cancel", (event) => event.preventDefault());
  one("#unlock").addEventListener("click", async () => {
    const fault = one("#locked-fault");
    const say = (words) => { fault.textContent = words; fault.hidden = words === ""; };
    try {
      const who = await here();
      if (!who) return say("You are not signed in yet.");
      if (who.name !== one("#me").textContent) return say("Somebody else is signed in. Sign in as yourself, or close this tab.");
      for (const field of all('input[name="csrf"]')) field.value = who.csrf;
    } catch {
      return say("The server does not answer. Nothing is lost; try again in a moment.");
    }
    say("");
    touched = performance.now();
    heard = touched;
    document.body.classList.remove("locked");
    cover.close();
    back();
  });
  return { leave };
}
