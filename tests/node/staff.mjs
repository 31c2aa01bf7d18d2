// A browser for staff pages: opened with its faults collected, and a new owner signed in.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chrome, listen } from "./chrome.mjs";

export { join } from "node:path";

const PASSWORD = "three herons by the lake";

/** A page that remembers script errors, console errors and requests that left the origin. */
export async function open(server, settings = {}) {
  const browser = await chrome();
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: "en-US", ...settings });
  const page = await context.newPage();
  const faults = [];
  const known = [server, ...(settings.alsoAsks ?? [])];
  // A form with a wrong answer comes back with its status; that is no fault of the page.
  listen(page, known, faults, (text) => /status of (401|403|404|409|410|413|422|423|429)/.test(text));
  const fits = async () => {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(over, 0, `${page.url()} is wider than the screen`);
  };
  return { browser, context, page, faults, fits };
}

/** RFC 6238 as an authenticator app does it. */
export function code(key) {
  const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key.replace(/ /g, "")].map((sign) => signs.indexOf(sign).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", secret).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Joins by an invitation, with both factors; the recovery codes. What is met on the way can be looked at. */
export async function owner(page, invitation, met = async () => {}) {
  await page.goto(invitation);
  await met("join");
  await page.locator("#password").fill(PASSWORD);
  await page.locator("#again").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Set up your second factor" }).waitFor();
  await met("second-factor");
  const key = await page.locator(".key").textContent();
  await page.getByLabel("The code that it shows").fill(code(key));
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "I have kept them" }).waitFor();
  await met("recovery-codes");
  const codes = await page.locator(".codes li").allTextContents();
  await page.getByRole("link", { name: "I have kept them" }).click();
  await page.locator(".tabs").waitFor();
  return codes;
}

/** Signs the owner in again in another tab, with a recovery code. */
export async function signInAgain(tab, recovery) {
  await tab.locator("#email").fill("owner@example.com");
  await tab.locator("#password").fill(PASSWORD);
  await tab.keyboard.press("Enter");
  await tab.locator("#code").fill(recovery);
  await tab.keyboard.press("Enter");
  await tab.locator(".tabs").waitFor();
}
