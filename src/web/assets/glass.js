// Under the glass: what the guardrail did to each draft.

import { counted, el, linked, timeOf } from "./dom.js";

const VERDICTS = {
  pass: ["Pass", "Sent as drafted."],
  rewrite: ["Rewrite", "Changed before it was sent."],
  hold: ["Hold", "Not sent. It waits for staff."],
};

const ACTIONS = { keep: "kept", drop: "taken out", hold: "held" };

const spaced = (word) => String(word ?? "").replaceAll("_", " ");

/** Fills the panel with the panes, newest first. Panes that are already there stay as they are. */
export class Glass {
  #panes = document.getElementById("panes");
  #empty = document.getElementById("glass-empty");
  #count = document.getElementById("glass-count");
  #shown = new Map();

  clear() {
    this.#panes.replaceChildren();
    this.#shown.clear();
    this.show([]);
  }

  show(panes) {
    const seen = new Map();
    const keys = panes.map((pane) => {
      const plain = JSON.stringify(pane);
      const nth = (seen.get(plain) ?? 0) + 1;
      seen.set(plain, nth);
      return `${nth} ${plain}`;
    });
    let before = this.#panes.firstElementChild;
    const kept = new Set(keys);
    for (const [index, key] of keys.entries()) {
      const known = this.#shown.get(key);
      const card = known ?? paneCard(panes[index]);
      if (!known) this.#shown.set(key, card);
      if (card === before) before = before.nextElementSibling;
      else this.#panes.insertBefore(card, before);
    }
    for (const [key, card] of this.#shown) {
      if (kept.has(key)) continue;
      card.remove();
      this.#shown.delete(key);
    }
    this.#empty.hidden = panes.length > 0;
    this.#count.textContent = panes.length > 0 ? counted(panes.length, "draft") : "";
  }
}

function paneCard(pane) {
  const [word, sentence] = VERDICTS[pane.verdict] ?? [spaced(pane.verdict), ""];
  const findings = pane.findings ?? [];
  const card = el(
    "article",
    { class: `pane ${pane.verdict}`, "aria-label": `${word}: ${sentence}` },
    el(
      "header",
      {},
      el("span", { class: `pill ${pane.verdict}` }, word),
      el("span", { class: "sentence" }, sentence),
      el("time", { datetime: pane.at }, timeOf(new Date(pane.at))),
    ),
    block("Draft", "draft", marked(pane.draft ?? "", findings)),
  );
  if (pane.text && pane.text !== pane.draft) card.append(block("Sent", "sent", linked(pane.text)));
  if (pane.portal) card.append(block("Behind the portal link", "behind", [pane.portal]));
  if (findings.length > 0) card.append(findingList(pane.draft ?? "", findings));
  card.append(
    el(
      "footer",
      {},
      pane.kind ? el("span", {}, spaced(pane.kind)) : null,
      typeof pane.micros === "number" ? el("span", { title: "Time that the review took" }, `${pane.micros.toLocaleString()} µs`) : null,
      pane.policy ? el("span", { title: `Policy digest ${pane.policy}` }, "policy ", el("code", {}, String(pane.policy).slice(0, 8))) : null,
    ),
  );
  return card;
}

function block(label, kind, nodes) {
  return el(
    "section",
    { class: `block ${kind}` },
    el("h3", {}, label),
    el("p", { dir: "auto" }, ...nodes),
  );
}

/** The draft with its findings underlined. Offsets count code points, as the findings do. */
function marked(draft, findings) {
  const points = Array.from(draft);
  const ordered = findings
    .map((finding, index) => ({ ...finding, index }))
    .filter((finding) => finding.start < finding.end && finding.end <= points.length)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const nodes = [];
  let at = 0;
  for (const finding of ordered) {
    // Of two that overlap, the first is drawn; the list below has both.
    if (finding.start < at) continue;
    if (finding.start > at) nodes.push(points.slice(at, finding.start).join(""));
    nodes.push(
      el(
        "mark",
        { class: finding.action, title: `${spaced(finding.category)} · ${finding.rule ?? ""} · ${ACTIONS[finding.action] ?? finding.action}` },
        points.slice(finding.start, finding.end).join(""),
      ),
    );
    at = finding.end;
  }
  if (at < points.length) nodes.push(points.slice(at).join(""));
  return nodes;
}

function findingList(draft, findings) {
  const points = Array.from(draft);
  return el(
    "details",
    { class: "findings", open: findings.length <= 6 },
    el("summary", {}, counted(findings.length, "finding")),
    el(
      "ul",
      {},
      ...findings.map((finding) =>
        el(
          "li",
          { class: finding.action },
          el(
            "p",
            { class: "what" },
            el("q", { dir: "auto" }, points.slice(finding.start, finding.end).join("")),
            el("span", { class: "category" }, spaced(finding.category)),
            el("span", { class: "action" }, ACTIONS[finding.action] ?? spaced(finding.action)),
          ),
          el(
            "dl",
            {},
            ...pair("Rule", finding.rule ? el("code", {}, finding.rule) : null),
            ...pair("Cites", finding.cite),
            ...pair("Certainty", spaced(finding.confidence)),
            ...pair("Evidence", [].concat(finding.evidence ?? []).map(evidence).join(", ")),
          ),
        ),
      ),
    ),
  );
}

const evidence = (piece) => (typeof piece === "string" ? spaced(piece) : `${piece.kind}: ${piece.name}`);

function pair(term, value) {
  if (!value) return [];
  return [el("dt", {}, term), el("dd", {}, value)];
}
