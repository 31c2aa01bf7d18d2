// Accessibility of a page as axe-core finds it: no serious or critical violation.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails with what is wrong, where, and how to mend it. */
export async function sound(page, name) {
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { preload: false }));
  const wrong = violations
    .filter((it) => it.impact === "serious" || it.impact === "critical")
    .map((it) => `${name}: ${it.id} (${it.impact}): ${it.nodes.slice(0, 4).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(wrong, []);
}
