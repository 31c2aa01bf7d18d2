// Opens the HTML report of `anteroom eval` in a real browser, on a phone and on a desk, light and dark.
// Usage: node report.mjs FILE FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { chrome } from "./chrome.mjs";

const [file, shots] = process.argv.slice(2);
const browser = await chrome();
for (const [name, viewport] of [["phone", { width: 390, height: 844 }], ["desk", { width: 1366, height: 768 }]]) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    const faults = [];
    page.on("console", (message) => faults.push(message.text()));
    page.on("request", (request) => request.url().startsWith("file:") || faults.push(request.url()));
    await page.goto(`file://${file}`);
    await page.screenshot({ path: `${shots}/report-${name}-${colorScheme}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert(wide <= viewport.width, `${name} ${colorScheme}: the page is ${wide} wide`);
    // From the list of a suite to the case that failed in it, and its text with what was found.
    await page.locator("#cases summary", { hasText: "did not hold" }).first().click();
    await page.locator("#cases li.bad a").last().click();
    const failed = page.locator("dl:target");
    assert(await failed.locator("blockquote").isVisible(), "a case that was folded away stands open");
    assert.equal(await failed.locator("mark").first().textContent(), "A1c");
    for (const place of await page.locator("nav a").evaluateAll((all) => all.map((it) => it.hash))) {
      assert.equal(await page.locator(place).count(), 1, place);
    }
    assert.equal(await page.locator("figure ul:empty").count(), 0, "no chart of nothing");
    assert.deepEqual(faults, []);
    await context.close();
  }
}
await browser.close();
console.log("all held");
