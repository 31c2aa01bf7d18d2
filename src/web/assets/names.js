// Names of colleagues in a note: @ and some letters offer them.
import { el } from "./dom.js";

const read = (list) => { try { return JSON.parse(list ?? "[]"); } catch { return []; } };

/** Whether a text names a colleague with @, by the whole name or the first. */
export function named(text, list) {
  const low = text.toLowerCase();
  return read(list).some((name) => [name, name.split(/\s+/u)[0]]
    .some((it) => it && low.includes(`@${it.toLowerCase()}`)));
}

/** Offers the names at the cursor: arrows choose, Enter or Tab takes, Escape closes. */
export function naming(box, list) {
  if (!list) return;
  const all = read(box.dataset.colleagues);
  let at = 0;
  let offered = [];
  const begun = () => /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N} ]{0,30})$/u.exec(box.value.slice(0, box.selectionStart))?.[1];
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
    const from = end - begun().length;
    box.setRangeText(`${name} `, from, end, "end");
    close();
    box.dispatchEvent(new Event("input"));
    box.focus();
  };
  box.addEventListener("input", () => {
    const start = begun()?.toLowerCase();
    if (start === undefined) return close();
    offered = all.filter((name) => name.toLowerCase().startsWith(start)
      || name.toLowerCase().split(/\s+/u).some((part) => start && part.startsWith(start))).slice(0, 6);
    // A name that is there already is not offered again.
    if (all.some((name) => start.startsWith(`${name.toLowerCase()} `))) offered = [];
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
