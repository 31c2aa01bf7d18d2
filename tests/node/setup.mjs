// Drives the set-up in a real browser: answers, a wrong one, a signed request that turns the light on.
// Usage: node setup.mjs SERVER INVITATION FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { join, owner, open } from "./staff.mjs";
import { sound } from "./axe.mjs";

const [server, invitation, shots] = process.argv.slice(2);
const { browser, context, page, faults, fits } = await open(server);
await owner(page, invitation);

const shot = (name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
await page.goto(`${server}/console/setup`);
await page.getByRole("heading", { name: "Practice", level: 1 }).waitFor();
await sound(page, "set-up");
await shot("setup-practice");
await page.getByLabel("Name, as patients know it").fill("Harbor Pediatrics");
await page.getByLabel("What it does").selectOption("primary_care");
await page.getByLabel("Front desk, by phone").fill("555-0160");
await page.getByLabel("State", { exact: true }).fill("OR");
await page.getByLabel("Time zone").fill("America/Los_Angeles");
await page.keyboard.press("Enter");
await page.getByText("One answer needs a change.").waitFor();
assert.equal(await page.getByLabel("Front desk, by phone").inputValue(), "555-0160");
assert.equal(await page.getByLabel("Short id").inputValue(), "harbor");
await sound(page, "set-up with a wrong answer");
await shot("setup-wrong");
await page.getByLabel("Front desk, by phone").fill("415-555-0160");
// The practice that this server runs: its light can turn green.
await page.getByLabel("Short id").fill("lakeside");
await page.getByRole("button", { name: "Save and go on" }).click();

await page.getByRole("heading", { name: "Number", level: 1 }).waitFor();
await page.getByLabel("Carrier").selectOption("simulator");
await page.getByLabel("Number", { exact: true }).fill("415-555-0161");
await sound(page, "number");
await page.getByRole("button", { name: "Save and go on" }).click();

await page.getByRole("heading", { name: "Carrier", level: 1 }).waitFor();
await page.getByText("No request yet.").waitFor();
await sound(page, "carrier");
await shot("setup-carrier-waits");
const answer = await fetch(`${server}/simulator/messages`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ from: "+14155550111", to: "+14155550101", body: "Hello" }),
});
assert.equal(answer.status, 202);
// Nobody presses reload.
await page.getByText("We saw a signed request").waitFor();
assert.match(await page.locator("#light").getAttribute("class"), /good/);
await shot("setup-carrier-seen");
await page.getByRole("button", { name: "Save and go on" }).click();

await page.getByRole("heading", { name: "Agreements", level: 1 }).waitFor();
await sound(page, "agreements of the set-up");
await shot("setup-agreements");
await page.getByRole("button", { name: "Save and go on" }).click();
await page.getByRole("heading", { name: "Model", level: 1 }).waitFor();
assert(await page.getByLabel("Address of the model server").isHidden());
await page.getByLabel("Drafted by").selectOption("openai");
assert(await page.getByLabel("Address of the model server").isVisible());
await sound(page, "model");
await page.getByLabel("Drafted by").selectOption("offline");
await page.getByRole("button", { name: "Save and go on" }).click();

await page.getByRole("heading", { name: "Notice", level: 1 }).waitFor();
assert.equal(await page.locator(".phones .bubble").count(), 2);
await sound(page, "notice");
await shot("setup-notice");
await page.getByRole("button", { name: "Save and go on" }).click();
await page.getByRole("heading", { name: "Start", level: 1 }).waitFor();
await page.getByText("A start with it would be accepted.").waitFor();
await sound(page, "file");
await shot("setup-file");
await page.getByRole("button", { name: "Go to the test" }).click();
await page.getByRole("heading", { name: "Test", level: 1 }).waitFor();
await page.locator("#test li.good").nth(3).waitFor();
await sound(page, "test");
await shot("setup-test");
await page.getByRole("link", { name: "See what the doctor finds" }).click();
await page.getByRole("heading", { name: "Findings", level: 1 }).waitFor();
await sound(page, "findings");
await shot("findings");

await page.goto(`${server}/console/replies`);
await sound(page, "replies");
await shot("replies");

// On a phone, light and dark.
await page.setViewportSize({ width: 390, height: 844 });
await fits();
for (const scheme of ["light", "dark"]) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(`${server}/console/setup/practice`);
  await fits();
  await sound(page, `set-up on a phone, ${scheme}`);
  await shot(`setup-phone-${scheme}`);
  await page.goto(`${server}/console/setup/carrier`);
  await fits();
  await shot(`setup-carrier-phone-${scheme}`);
}
// The pages that nobody lives in, as carefully as the others.
await page.context().clearCookies();
for (const [width, height] of [[1366, 768], [390, 844]]) {
  await page.setViewportSize({ width, height });
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${server}/console/sign-in`);
    await fits();
    await sound(page, `sign-in, ${width}, ${scheme}`);
    await shot(`sign-in-${width}-${scheme}`);
  }
}
// A guesser is slowed down, and told how long.
for (let tries = 0; tries < 6; tries += 1) {
  await page.goto(`${server}/console/sign-in`);
  await page.getByLabel("E-mail").fill("owner@example.com");
  await page.getByLabel("Password").fill(`wrong ${tries}`);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
}
assert.match(await page.getByRole("alert").textContent(), /too many tries; wait \d+ s/);
await sound(page, "sign-in, resting");
await shot("sign-in-resting");
assert.deepEqual(faults, []);
await context.close();
await browser.close();
console.log("all held");
