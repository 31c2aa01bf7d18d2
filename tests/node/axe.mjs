// Accessibility of a page as axe-core finds it: no serious or critical violation.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The rules that ask what colours there are. */
export const COLOURS = ["color-contrast", "link-in-text-block"];

/** What is wrong with a page, by all rules or by some: each with its impact, where, and how to mend it. */
export async function violations(page, rules = null) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(source);
  const found = await page.evaluate((only) => globalThis.axe.run(document, {
    preload: false, resultTypes: ["violations"], ...(only ? { runOnly: { type: "rule", values: only } } : {}),
  }), rules);
  return found.violations.map((it) => ({
    impact: it.impact,
    told: `${it.id} (${it.impact}): ${it.nodes.slice(0, 4).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join("\n  ")}`,
  }));
}

/** Fails with what is wrong, where, and how to mend it. */
export async function sound(page, name) {
  const wrong = (await violations(page)).filter((it) => it.impact === "serious" || it.impact === "critical");
  assert.deepEqual(wrong.map((it) => `${name}: ${it.told}`), []);
}
