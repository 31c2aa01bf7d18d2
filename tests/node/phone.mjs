// Drives the phone page and the portal in a real browser.
// Usage: node phone.mjs SERVER FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { chrome, listen } from "./chrome.mjs";

const [server, shots] = process.argv.slice(2);
const browser = await chrome();

/** A page that fails the run on any script error, refused content, or request to elsewhere. */
async function open(options, path = "/simulator") {
  const context = await browser.newContext({ locale: "en-US", timezoneId: "America/Los_Angeles", ...options });
  const page = await context.newPage();
  const faults = [];
  listen(page, [server], faults, (text) => page.expected?.test(text));
  await page.goto(server + path);
  return { page, context, faults };
}

const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

async function conversation(name, options) {
  const { page, context, faults } = await open(options);
  const log = page.getByRole("log");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.screenshot({ path: `${shots}/${name}-empty.png` });

  // A suggestion is sent with one click; the answer comes by itself.
  const first = (await log.locator(".turn").count()) === 0;
  assert(first, "the thread of a new patient is empty");
  await page.getByRole("button", { name: "When is my appointment?" }).click();
  await log.getByText("Your next visit is Thursday").waitFor();
  await log.getByText(/Delivered · .* · 1 segment/).waitFor();
  await log.getByText(/^Received /).waitFor();

  // Typed text: Enter sends, Shift+Enter does not.
  const box = page.getByLabel("Text message", { exact: true });
  await box.fill("Are my biopsy");
  await box.press("Shift+Enter");
  await box.pressSequentially("results in? <img src=x onerror=alert(1)>");
  await box.press("Enter");
  await log.getByText("you have a new message").waitFor();
  assert.equal(await box.inputValue(), "", "the box is empty after sending");
  assert(await log.getByText("<img src=x").isVisible(), "markup stays text");
  const link = log.getByRole("link");
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.match(await link.getAttribute("href"), /^https:\/\/text\.example\.com\/p\/[\w-]+$/);

  // The thread stays at its end.
  const gap = () => page.locator("#thread").evaluate((it) => it.scrollHeight - it.scrollTop - it.clientHeight);
  await page.waitForFunction(() => {
    const it = document.getElementById("thread");
    return it.scrollHeight - it.scrollTop - it.clientHeight < 4;
  });
  assert((await gap()) < 4);

  // A quick reply, and a draft that is held.
  await page.getByRole("button", { name: "YES", exact: true }).click();
  await log.getByText("May we answer by text?").first().waitFor();
  await box.fill("What dose should I take?");
  await page.getByRole("button", { name: "Send" }).click();
  await log.getByText("What dose should I take?").waitFor();

  // Under the glass.
  const panel = page.locator("#glass");
  if (!(await panel.evaluate((it) => it.open))) await panel.locator("summary").first().click();
  await panel.locator(".pane.hold").waitFor();
  for (const verdict of ["pass", "rewrite", "hold"]) await panel.locator(`.pane.${verdict}`).first().waitFor();
  const rewritten = panel.locator(".pane.rewrite").first();
  assert.deepEqual(await rewritten.locator("mark").allTextContents(), ["Maria", "skin biopsy", "Nov 20", "benign", "treatment"]);
  await rewritten.getByText("45 CFR 164.514(b)(2)(i)(A)").waitFor();
  await rewritten.getByText("184 µs").waitFor();
  await rewritten.getByText("9f31c2d0", { exact: true }).waitFor();
  assert.equal(await page.locator("#typing").isVisible(), false, "nobody types after a hold");
  assert((await overflow(page)) <= 0, "no sideways scrolling");
  await page.screenshot({ path: `${shots}/${name}.png` });
  await page.screenshot({ path: `${shots}/${name}-full.png`, fullPage: true });

  // Another patient has another thread, and this one's is kept.
  const people = page.locator("#people");
  if (!(await people.evaluate((it) => it.open))) await people.locator("summary").click();
  await page.getByText("José Ejemplo").click();
  await page.getByRole("button", { name: "¿Qué días abren?" }).waitFor();
  assert.equal(await log.locator(".turn").count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
}

await conversation("phone-1280", { viewport: { width: 1280, height: 860 } });

// A second screen sees the same conversation, also when it changes elsewhere.
{
  const { page, context, faults } = await open({ viewport: { width: 900, height: 800 } });
  await page.getByRole("log").getByText("Your next visit is Thursday").waitFor();
  const before = await page.getByRole("log").locator(".turn").count();
  const posted = await fetch(`${server}/simulator/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ from: "+14155550142", to: "+14155550102", body: "from elsewhere" }),
  });
  assert.equal(posted.status, 202);
  await page.getByRole("log").getByText("from elsewhere").waitFor();
  assert((await page.getByRole("log").locator(".turn").count()) > before);
  await page.screenshot({ path: `${shots}/phone-900.png` });
  assert((await overflow(page)) <= 0);
  assert.deepEqual(faults, []);
  await context.close();
}

// A refusal is shown, and what was typed is kept.
{
  const { page, context } = await open({ viewport: { width: 390, height: 844 } });
  await page.getByText("Live", { exact: true }).waitFor();
  await page.route("**/simulator/messages", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"the store does not answer; try again"}' })
      : route.continue());
  await page.getByLabel("Text message", { exact: true }).fill("hello?");
  await page.getByLabel("Text message", { exact: true }).press("Enter");
  await page.getByRole("alert").getByText("Not sent: the store does not answer").waitFor();
  assert.equal(await page.getByLabel("Text message", { exact: true }).inputValue(), "hello?");
  await context.close();
}

// Small and dark: the thread of the second patient is new.
{
  const { page, context, faults } = await open({
    viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true, deviceScaleFactor: 2,
  });
  await page.locator("#people summary").click();
  await page.getByText("Dev Placeholder").click();
  await page.screenshot({ path: `${shots}/phone-390-dark-empty.png` });
  await page.getByRole("button", { name: "Are my biopsy results in?" }).click();
  await page.getByRole("log").getByText("you have a new message").waitFor();
  await page.screenshot({ path: `${shots}/phone-390-dark.png` });
  await page.locator("#glass summary").first().click();
  await page.locator("#glass .pane.rewrite").first().scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${shots}/phone-390-dark-glass.png` });
  assert((await overflow(page)) <= 0, "no sideways scrolling at 390 px");
  assert.deepEqual(faults, []);
  await context.close();
}
{
  const { page, context, faults } = await open({ viewport: { width: 390, height: 844 } });
  await page.getByRole("log").getByText("you have a new message").first().waitFor();
  await page.screenshot({ path: `${shots}/phone-390.png` });
  assert.deepEqual(faults, []);
  await context.close();
}

// The portal, without scripts, on a very small screen.
{
  const address = "/p/fake-portal-token-0123456789-abcdefghijklmno";
  const { page, context, faults } = await open({ viewport: { width: 320, height: 640 }, javaScriptEnabled: false }, address);
  page.expected = /status of 4\d\d/;
  assert.equal(await page.title(), "Secure message");
  await page.screenshot({ path: `${shots}/portal-320.png` });
  await page.getByRole("link", { name: "Español" }).click();
  await page.getByText("Fecha de nacimiento", { exact: true }).waitFor();
  await page.getByRole("link", { name: "English" }).click();
  await page.getByLabel("Month").fill("4");
  await page.getByLabel("Day").fill("13");
  await page.getByLabel("Year").fill("1961");
  await page.getByRole("button", { name: "Open message" }).click();
  await page.getByRole("alert").getByText("You have 4 tries left.").waitFor();
  await page.screenshot({ path: `${shots}/portal-320-wrong.png` });
  await page.getByLabel("Month").fill("4/12/1961");
  await page.getByLabel("Month").press("Enter");
  await page.getByText("Your A1c was 7.2.").waitFor();
  assert(await page.getByText("<b>Next step</b>").isVisible(), "markup stays text");
  assert.equal(await page.title(), "Secure message");
  assert(page.url().split("?")[0].endsWith(address));
  await page.screenshot({ path: `${shots}/portal-320-shown.png` });
  assert.deepEqual(faults, []);
  await context.close();
}

await browser.close();
console.log("all held");
