// One conversation on the phone page of the real server, and the portal behind its link.
// Usage: node story.mjs SERVER FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { chrome } from "./chrome.mjs";
import { sound } from "./axe.mjs";

const [server, shots] = process.argv.slice(2);
const browser = await chrome();

const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-US", timezoneId: "America/Los_Angeles" });
const page = await context.newPage();
await page.goto(`${server}/simulator`);
await page.getByText("Tom Nguyen").first().click();
const log = page.getByRole("log");

await page.getByRole("button", { name: "When is my appointment?" }).click();
await log.getByText("Reply YES to agree").waitFor();
assert(!(await log.innerText()).includes("Dr. Ana Reyes"), "nothing of the person before YES");
await page.getByRole("button", { name: "YES", exact: true }).click();
await log.getByText("Dr. Ana Reyes").waitFor();

const box = page.getByLabel("Text message", { exact: true });
await box.fill("Are my biopsy results in?");
await box.press("Enter");
const link = log.getByRole("link").last();
await link.waitFor();
const href = await link.getAttribute("href");
assert.match(href, /\/p\/[\w-]{43}$/);
assert(!/biopsy|benign|mole/i.test(await log.locator("li, .bubble").last().innerText()), "nothing clinical by text");
await page.locator("#glass .pane.rewrite").first().waitFor();
assert(await page.locator("#glass .pane").first().evaluate((it) => it.classList.contains("rewrite")), "the newest draft is on top");
await log.getByText("Delivered").last().waitFor();
await page.screenshot({ path: `${shots}/phone-1280.png` });

// What the carrier reports is what the phone shows: a phone that is off, and one that has blocked the
// practice where only the carrier knows of it.
await page.getByText("Maria Gonzalez").first().click();
await page.getByLabel("This phone").selectOption("off");
await box.fill("What are your hours?");
await box.press("Enter");
await log.getByText(/^Not delivered .* the phone is switched off or out of reach \(30003\)$/).waitFor();
await page.screenshot({ path: `${shots}/phone-off-1280.png` });
await page.getByLabel("This phone").selectOption("on");
await box.fill("Are you open on Monday?");
await box.press("Enter");
await log.getByText(/^Delivered /).first().waitFor();
await page.getByLabel("This phone").selectOption("blocked");
await page.getByRole("button", { name: "YES", exact: true }).click();
await log.getByText(/^Not sent .* the person opted out at the carrier \(21610\)$/).waitFor();
await page.screenshot({ path: `${shots}/phone-blocked-1280.png` });
await page.getByText("Tom Nguyen").first().click();
await page.locator("#reach:enabled").waitFor();
assert.equal(await page.getByLabel("This phone").inputValue(), "on", "another phone is another's");
await link.waitFor();

await page.setViewportSize({ width: 390, height: 844 });
await page.screenshot({ path: `${shots}/phone-390.png` });
await page.locator("#glass .pane.rewrite").first().scrollIntoViewIfNeeded();
await page.screenshot({ path: `${shots}/glass-390.png` });

const portal = await context.newPage();
await portal.setViewportSize({ width: 390, height: 700 });
await portal.goto(href);
assert.equal(await portal.title(), "Secure message");
assert(!/biopsy|benign|Tom|Nguyen/.test(await portal.content()), "the page tells nothing before it knows who asks");
await portal.getByLabel("Month").fill("7");
await portal.getByLabel("Day").fill("4");
await portal.getByLabel("Year").fill("1978");
await portal.screenshot({ path: `${shots}/portal-390.png` });
await sound(portal, "portal: birth date");
await portal.getByRole("button", { name: "Open message" }).click();

// The birth date is right; a code goes to the phone that got the link.
await portal.getByText("We sent a code by text message to the number that ends in 14").waitFor();
assert(!/benign/.test(await portal.content()));
const TOM = "+14155550114";
const texts = async () => (await fetch(`${server}/simulator/messages?with=${encodeURIComponent(TOM)}`)).json();
const coded = async () => (await texts()).map((it) => /your code is (\d{6})/.exec(it.body)?.[1]).findLast(Boolean);
let code;
while (!(code = await coded()));
await sound(portal, "portal: code");
await portal.screenshot({ path: `${shots}/portal-390-code.png` });
await portal.getByLabel("6-digit code").fill(code === "000000" ? "000001" : "000000");
await portal.getByRole("button", { name: "Open message" }).click();
await portal.getByText("That code is not right").waitFor();
await portal.getByLabel("6-digit code").fill(code);
await portal.getByRole("button", { name: "Open message" }).click();
await portal.getByText("benign").waitFor();
await portal.screenshot({ path: `${shots}/portal-390-shown.png`, fullPage: true });
await sound(portal, "portal: room");
const size = (await portal.content()).length;
assert(size < 50_000, `the page has ${size} characters`);

// A reply goes to staff and by no text; the page comes back by its own address, so that reloading sends nothing.
const before = (await texts()).length;
await portal.getByLabel("Write to our staff").fill("Thank you. Do I need to come in?");
await portal.getByRole("button", { name: "Send", exact: true }).click();
await portal.getByText("Sent. Our staff will read it").waitFor();
await portal.reload();
assert.equal(await portal.locator(".thread .yours").count(), 1);
await portal.getByText("Ask for a copy of your record").click();
await portal.getByRole("button", { name: "Ask for the copy" }).click();
await portal.getByText("You will have the copy within 30 days").waitFor();
await portal.getByText("Your text messages").click();
await portal.screenshot({ path: `${shots}/portal-390-choices.png`, fullPage: true });
await portal.getByRole("button", { name: "Do not text me health details" }).click();
await portal.getByText("We saved your choice.").waitFor();
assert.equal((await texts()).length, before, "nothing of it went by text");

// In Spanish, in the dark, with large text; then signed out.
await portal.emulateMedia({ colorScheme: "dark" });
await portal.goto(`${href}?lang=es`);
await portal.getByText("Escribir a nuestro personal").waitFor();
await sound(portal, "portal: room, Spanish, dark");
await portal.screenshot({ path: `${shots}/portal-390-es-dark.png`, fullPage: true });
await portal.getByLabel("Escribir a nuestro personal").fill("Me duele mucho el pecho y no puedo respirar");
await portal.getByRole("button", { name: "Enviar", exact: true }).click();
await portal.getByText("911").first().waitFor();
await portal.screenshot({ path: `${shots}/portal-390-urgent.png` });
await portal.getByRole("link", { name: "Volver a sus mensajes" }).click();
await portal.getByRole("button", { name: "Cerrar y salir" }).click();
await portal.getByLabel("Mes").waitFor();
assert(!/benign/.test(await portal.content()));

await browser.close();
console.log("all held");
