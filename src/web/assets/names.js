// Names that are offered while one writes: colleagues in a note after @, variables in a template after
// two braces. Arrows choose, Enter or Tab takes, Escape closes.
import { el } from "./dom.js";

const read = (list) => { try { return JSON.parse(list ?? "[]"); } catch { return []; } };

/** Whether a text names a colleague with @, by the whole name or the first. */
export function named(text, list) {
  const low = text.toLowerCase();
  return read(list).some((name) => [name, name.split(/\s+/u)[0]]
    .some((it) => it && low.includes(`@${it.toLowerCase()}`)));
}

/** Offers the colleagues of a box. */
export function naming(box, list) {
  if (!list) return;
  const all = read(box.dataset.colleagues);
  offer(box, list, {
    begun: /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N} ]{0,30})$/u,
    put: (name) => `${name} `,
    found: (start) => {
      // A name that is there already is not offered again.
      if (all.some((name) => start.startsWith(`${name.toLowerCase()} `))) return [];
      return all.filter((name) => name.toLowerCase().startsWith(start)
        || name.toLowerCase().split(/\s+/u).some((part) => start && part.startsWith(start)));
    },
  });
}

/** Offers the variables that a template may use, each with what it is. */
export function variables(box, list, all) {
  if (!list || all.length === 0) return;
  offer(box, list, {
    begun: /\{[{%]-?\s*(?:(?:if|elif|for\s+\w+\s+in)\s+(?:not\s+)?)?([\p{L}_][\p{L}\p{N}_.]*)?$/u,
    put: (name, before) => (before.lastIndexOf("{{") > before.lastIndexOf("{%") ? `${name} }}` : `${name} %}`),
    found: (start) => all.filter((name) => name.startsWith(start) && name !== start),
  });
}

function offer(box, list, { begun, put, found }) {
  let at = 0;
  let offered = [];
  const before = () => box.value.slice(0, box.selectionStart);
  const start = () => { const met = begun.exec(before()); return met ? (met[1] ?? "") : undefined; };
  const close = () => {
    list.hidden = true;
    offered = [];
    box.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    list.replaceChildren(...offered.map((name, index) => el("li", {
      role: "option", id: `name-${index}`, "aria-selected": String(index === at),
      onpointerdown: (event) => { event.preventDefault(); take(name); },
    }, el("bdi", {}, name))));
    list.hidden = offered.length === 0;
    if (offered.length) box.setAttribute("aria-activedescendant", `name-${at}`);
  };
  const take = (name) => {
    const end = box.selectionStart;
    const from = end - start().length;
    box.setRangeText(put(name, before()), from, end, "end");
    close();
    box.dispatchEvent(new Event("input"));
    close();
    box.focus();
  };
  box.addEventListener("input", () => {
    const typed = start()?.toLowerCase();
    if (typed === undefined) return close();
    offered = found(typed).slice(0, 6);
    at = 0;
    if (offered.length) show(); else close();
  });
  box.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      at = (at + step + offered.length) % offered.length;
      show();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) {
      take(offered[at]);
    } else if (event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  box.addEventListener("blur", close);
}
