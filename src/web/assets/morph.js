// Makes a part of the page equal to a fresh copy of it, and leaves alone what somebody did there: what is
// unfolded stays so, what was typed stays in its field, and whoever is in a field stays in it.

const OWN = { DETAILS: "open", DIALOG: "open", INPUT: "value" };
const key = (node) => node.id || node.dataset?.id || "";
const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

/** Exchanges the content of `old` for that of `next`. */
export function morph(old, next) {
  const active = document.activeElement;
  children(old, next);
  if (active?.isConnected && active !== document.activeElement) active.focus({ preventScroll: true });
}

function children(old, next) {
  let at = old.firstChild;
  for (const want of [...next.childNodes]) {
    const have = found(at, want);
    if (!have) { old.insertBefore(want, at); continue; }
    if (have === at) at = at.nextSibling;
    else old.insertBefore(have, at);
    if (have.nodeType === Node.ELEMENT_NODE) element(have, want);
    else if (have.data !== want.data) have.data = want.data;
  }
  while (at) {
    const over = at;
    at = at.nextSibling;
    over.remove();
  }
}

/** What is there already of what is wanted: the next one, or one further on that bears the same number. */
function found(at, want) {
  if (at && alike(at, want)) return at;
  if (!key(want)) return null;
  for (let node = at; node; node = node.nextSibling) if (alike(node, want)) return node;
  return null;
}

function element(have, want) {
  if (have.isEqualNode(want)) return;
  const own = have.type === "hidden" ? undefined : OWN[have.nodeName];
  for (const { name } of [...have.attributes]) if (name !== own && !want.hasAttribute(name)) have.removeAttribute(name);
  for (const { name, value } of want.attributes) {
    if (name !== own && have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  children(have, want);
}
