// Looks at single pages as everybody sees them: a desk and a phone, light and dark, axe on each.
// Usage: node look.mjs ORIGIN FOLDER_FOR_SCREENSHOTS NAME=PATH... Ends with "all held", or fails.

import assert from "node:assert/strict";
import { join, open } from "./staff.mjs";
import { sound } from "./axe.mjs";

const [origin, shots, ...pages] = process.argv.slice(2);
const { browser, page, faults, fits } = await open(origin);
for (const named of pages) {
  const [name, path] = named.split("=");
  for (const [width, height] of [[1366, 768], [390, 844]]) {
    await page.setViewportSize({ width, height });
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(`${origin}${path}`);
      await fits();
      await sound(page, `${name}, ${width}, ${scheme}`);
      await page.screenshot({ path: join(shots, `${name}-${width}-${scheme}.png`) });
    }
  }
}
assert.deepEqual(faults, []);
await browser.close();
console.log("all held");
