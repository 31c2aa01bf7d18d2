// Small building blocks. Text only ever enters the page as text, never as markup.

/** Makes an element: el("p", { class: "quiet" }, "text", child). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const LINK = /https?:\/\/[^\s<>"]+/g;

/** A text as nodes, with its web addresses clickable in a new tab. */
export function linked(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)\]'’”]+$/u, "");
    nodes.push(text.slice(from, match.index));
    nodes.push(el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address));
    from = match.index + address.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "short", day: "numeric" });

/** "10:32 AM". */
export const timeOf = (date) => clock.format(date);

/** "Today 10:32 AM", "Monday, Nov 30 10:32 AM". */
export function dayAndTimeOf(date, now = new Date()) {
  const same = date.toDateString() === now.toDateString();
  return `${same ? "Today" : day.format(date)} ${timeOf(date)}`;
}

/** "1 segment", "2 segments". */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** Initials of a name, two at most. */
export const initials = (name) =>
  name.split(/\s+/u).filter(Boolean).slice(0, 2).map((word) => Array.from(word)[0].toUpperCase()).join("");

/** "(415) 555-0142" for numbers of the United States. */
export function phoneNumber(number) {
  const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return us ? `(${us[1]}) ${us[2]}-${us[3]}` : number;
}
