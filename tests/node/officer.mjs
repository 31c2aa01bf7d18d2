// Drives what staff decide on held drafts and what an officer proves, in a real browser, over a store
// that is full of invented conversations. Keys alone where it says so; light at a desk, dark on a phone.
// Usage: node officer.mjs SERVER INVITATION FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { join, open, owner, signInAgain } from "./staff.mjs";
import { sound } from "./axe.mjs";

const [server, invitation, shots] = process.argv.slice(2);
const { browser, context, page, faults, fits } = await open(server, { permissions: ["clipboard-read", "clipboard-write"] });
const recovery = await owner(page, invitation);
page.on("dialog", (dialog) => dialog.accept());
const shot = (name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const looked = async (name, at = page) => {
  await sound(at, name);
  const over = await at.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, `${name} is wider than the screen`);
};
const text = async (from, body) => {
  const answer = await fetch(`${server}/simulator/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ from, to: "+14155550101", body }),
  });
  assert.equal(answer.status, 202);
};
const day = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

// A held draft with its findings underlined, found and decided with keys alone.
await page.goto(`${server}/console/inbox/held`);
await page.locator(".line").first().waitFor();
let found = false;
for (let at = 0; at < 20 && !found; at += 1) {
  await page.goto(`${server}/console/inbox/held`);
  await page.locator(".line").first().waitFor();
  for (let step = 0; step <= at; step += 1) await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.locator(".talk-who h1").waitFor();
  found = await page.locator(".hold mark").count() > 0;
}
assert(found, "a held draft with findings");
const card = page.locator(".hold", { has: page.locator("mark") }).first();
assert(await card.locator(".draft mark").count() > 0, "the findings are underlined");
const mark = card.locator(".draft mark").first();
assert.match(await mark.getAttribute("title"), / · .+ · /, "each with category, rule and citation");
await card.locator("details summary").first().click();
await card.locator(".findings li").first().waitFor();
await page.screenshot({ path: join(shots, "held.png") });
await looked("held");

// A change elsewhere leaves alone what is unfolded and what is half typed; the page rests when nothing changes.
const remark = card.getByLabel("Why was it wrong?");
await remark.fill("The name is that of a");
const refreshed = page.waitForResponse((answer) => answer.request().headers()["x-live"] !== undefined);
await text("+14155550112", "Do you take walk-ins?");
await refreshed;
await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
assert(await card.locator(".findings li").first().isVisible(), "the findings stay unfolded");
assert.equal(await remark.inputValue(), "The name is that of a");
assert(await remark.evaluate((it) => it === document.activeElement), "and the field has the focus");
await remark.fill("");
const held = new URL(page.url()).searchParams.get("c");
const dark = await browser.newContext({ viewport: { width: 1366, height: 768 }, colorScheme: "dark", locale: "en-US" });
await dark.addCookies(await context.cookies());
const night = await dark.newPage();
await night.goto(page.url());
await night.locator(".hold mark").first().waitFor();
await looked("held, dark", night);
await night.screenshot({ path: join(shots, "held-dark.png") });

// i puts the draft into the box, to be changed; what goes behind a link is not put there as a link's text.
const box = page.getByLabel("Your answer");
const behind = await card.getByRole("button", { name: "Insert the safe version" }).count() === 0;
await page.locator("#texts").focus();
await page.keyboard.press("i");
assert((await box.inputValue()).length > 0);
if (behind) assert(!/https?:/.test(await box.inputValue()), "no link is put into the box");
await page.locator("#verdict").waitFor();
await page.screenshot({ path: join(shots, "held-edit.png") });
await box.fill("");

// Override is a panel of its own, with a reason of the list; Escape leaves it, and nothing goes without a reason.
const panel = page.getByRole("dialog", { name: "Override this hold" });
const override = card.getByRole("button", { name: "Override" });
await override.focus();
await page.keyboard.press("Enter");
await panel.waitFor();
assert(await panel.getByLabel("Why may it go as it stands?").evaluate((it) => it === document.activeElement), "its first field has the focus");
for (const part of [panel.getByLabel("Why may it go as it stands?"), panel.getByRole("button", { name: "Send it" })]) {
  const place = await part.boundingBox();
  assert(place.y >= 0 && place.y + place.height <= 768, "reason and submit are in sight");
}
await page.screenshot({ path: join(shots, "held-override.png") });
await looked("override");
await page.keyboard.press("Escape");
await panel.waitFor({ state: "hidden" });
assert(await override.evaluate((it) => it === document.activeElement), "and the focus is back");

// Submitted with a reason, the guardrail still has its say over what no patient without consent is texted.
await page.keyboard.press("Enter");
await panel.waitFor();
await page.keyboard.press("Tab");
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
assert(await panel.isVisible(), "nothing goes without a reason");
await panel.getByLabel("Why may it go as it stands?").selectOption("clinical");
await panel.getByRole("button", { name: "Send it" }).click();
await page.getByRole("heading", { name: "The guardrail did not let this go" }).waitFor();
await page.getByText("send it by portal").waitFor();
await looked("override refused");
await page.goto(`${server}/console/inbox/held?c=${held}`);

// By portal: the draft goes into a secure message, and the card is gone.
const before = await page.locator(".hold").count();
await card.getByRole("button", { name: "Send by portal" }).click();
await page.locator(".text.ours", { hasText: "/p/" }).first().waitFor();
assert.equal(await page.locator(".hold").count(), before - 1);

// A paste of four megabytes: what does not fit is told, the page lives, and nothing is sent.
await page.evaluate(() => navigator.clipboard.writeText("Parking is free. ".repeat(250_000)));
await box.focus();
await page.keyboard.press("Control+V");
await page.getByText("at most 4,000 characters").waitFor();
assert((await box.inputValue()).length <= 4000);
await page.screenshot({ path: join(shots, "paste.png") });
const refused = await page.evaluate(async (id) => {
  const csrf = document.querySelector('input[name="csrf"]').value;
  const body = new URLSearchParams({ csrf, text: "x".repeat(4_000_000) });
  return (await fetch(`/console/answer/${id}`, { method: "POST", body, headers: { "x-script": "1" } })).status;
}, held);
assert.equal(refused, 413);

// Back, with words in the box: the browser asks first, and the words are there when one stays.
await box.fill("Half a sentence that");
let asks = 0;
page.removeAllListeners("dialog");
page.once("dialog", (dialog) => { asks += 1; dialog.dismiss(); });
await page.goBack({ timeout: 3000 }).catch(() => {});
assert.equal(asks, 1, "leaving with words in the box asks first");
assert.equal(await box.inputValue(), "Half a sentence that");
page.on("dialog", (dialog) => dialog.accept());
await box.fill("");

// The clock of the browser is years off and jumps: nobody is signed out, and times are the server's.
const off = await context.newPage();
await off.clock.setSystemTime(new Date("2031-05-05T05:05:05Z"));
await off.goto(`${server}/console/inbox/all`);
await off.locator(".line").first().waitFor();
await off.clock.setSystemTime(new Date("2031-05-06T05:05:05Z"));
await text("+14155550111", "What are your hours?");
await off.locator(".line", { hasText: "Maria Gonzalez" }).first().waitFor();
// The page looks every five seconds whether nobody clicked for a while.
await off.waitForFunction(() => performance.now() > 7000);
assert.match(off.url(), /\/console\/inbox\/all/);
assert(!(await off.content()).includes("2031"), "no time of the browser's on the page");
await off.close();

// One patient: who was told, by keyboard, with a name that has an emoji and runs from right to left.
await page.goto(`${server}/console/compliance`);
await page.getByLabel("Phone number").fill("(415) 555-0111");
await page.keyboard.press("Enter");
await page.getByRole("link", { name: /rights and disclosures/ }).first().waitFor();
assert(!page.url().includes("555"), "no number in the address");
await shot("compliance-one");
await page.getByRole("link", { name: /rights and disclosures/ }).first().click();
await page.getByText("No disclosure is recorded.").waitFor();
assert.equal(await page.title(), "Patient rights · anteroom");
await page.getByLabel("Day", { exact: true }).fill(day(6));
await page.getByLabel("Why they were told").selectOption("law_enforcement");
await page.getByLabel("Who was told").fill("שֵׁרִיף 👮 Lake County Sheriff");
await page.getByLabel("Their address, if it is known").fill("1 Court Street, Lakeport");
await page.getByLabel("What they were told, in brief").fill("Dates of two visits");
await page.getByLabel("What for, in brief").focus();
await page.keyboard.type("Warrant of the superior court");
await page.keyboard.press("Tab");
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
await page.getByText("Recorded. The accounting tells of it").waitFor();
await page.locator("bdi", { hasText: "Lake County Sheriff" }).waitFor();
await shot("patient");
await looked("patient");
await page.getByRole("link", { name: "Accounting for the patient" }).click();
await page.getByRole("heading", { name: "Accounting of disclosures", level: 1 }).waitFor();
await page.getByRole("button", { name: "Print" }).waitFor();
await shot("accounting");
await looked("accounting");
await page.emulateMedia({ media: "print" });
assert(!(await page.getByRole("button", { name: "Print" }).isVisible()), "paper has no buttons");
await shot("accounting-print");
await page.emulateMedia({ media: "screen" });
await page.goBack();

// What is wrong with a form is told at once, and nothing that was typed is lost.
await page.getByLabel("Who was told").fill("State board");
await page.evaluate(() => { for (const it of document.querySelectorAll("form")) it.noValidate = true; });
await page.getByRole("button", { name: "Record it" }).click();
await page.getByText(/Nothing was recorded\./).waitFor();
assert.equal(await page.getByLabel("Who was told").inputValue(), "State board");
await looked("patient with a fault");

// Their record, asked for by letter: a case, put off once, a copy, closed.
await page.getByLabel("Came in on").fill(day(3));
await page.getByLabel("What they want, and in which form").fill("Everything, on paper");
await page.getByRole("button", { name: "Open a case" }).click();
await page.getByText("By law:").waitFor();
const patient = await page.getByRole("link", { name: "Maria Gonzalez" }).getAttribute("href");
await page.getByLabel("Why, as the patient is told in writing").fill("Older charts are in the archive");
await page.getByRole("button", { name: "Put it off" }).click();
await page.getByText("Put off by 30 days.").waitFor();
await shot("case");
await looked("case");
const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "PDF to read" }).click()]);
assert.equal(file.suggestedFilename(), "record-copy.pdf", "no name in the name of a file");
await page.getByLabel("How did it end?").selectOption("given");
await page.getByRole("button", { name: "Close it" }).click();
await page.getByText("It is closed").waitFor();

// The audit explorer: by patient, by kind, by day, with its badge.
await page.goto(`${server}/console/audit?check=1`);
await page.getByText("Chain verified").waitFor();
await page.getByLabel("A patient, by phone number").fill("415 555 0111");
await page.keyboard.press("Enter");
await page.locator(".whom", { hasText: "Maria Gonzalez" }).waitFor();
await page.getByLabel("What", { exact: true }).selectOption("access");
await page.getByLabel("From", { exact: true }).fill(day(1));
await page.getByRole("button", { name: "Show", exact: true }).click();
// An entry is chained within a second, and then shown.
const closed = page.locator("tbody td", { hasText: "access.closed" });
for (let tries = 0; tries < 100 && await closed.count() === 0; tries += 1) await page.reload();
assert.equal(await closed.count(), 1);
assert(!page.url().includes("555"), "no number in the address");
await shot("explorer");
await looked("explorer");

// The rest, looked at: at a desk in the light, on a phone in the dark.
const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true, locale: "en-US" });
await phone.addCookies(await context.cookies());
const small = await phone.newPage();
small.on("pageerror", (error) => faults.push(`script: ${error.message}`));
for (const [name, path, heading] of [
  ["retention", "/console/retention", "Retention"],
  ["overview", "/console/overview?days=90", "Overview"],
  ["changes", "/console/overview/changes", "What changed since the last publish"],
  ["overlay", "/console/policy/overlay", "Our own words and rules"],
  ["rights", patient, "Maria Gonzalez"],
]) {
  for (const [at, kind] of [[page, "desk"], [small, "phone"]]) {
    await at.goto(server + path);
    await at.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await looked(`${name}, ${kind}`, at);
    await at.screenshot({ path: join(shots, `${kind}-${name}.png`), fullPage: true });
  }
}
await small.goto(`${server}/console/inbox/held`);
await small.locator(".line a").first().click();
await small.locator(".hold").first().waitFor();
await looked("held on a phone", small);
await small.screenshot({ path: join(shots, "phone-held.png") });

// The practice's own words: what loosens is refused with its line, what tightens waits for the suites.
await page.goto(`${server}/console/policy/overlay`);
await page.getByLabel("Words of our own").fill("[harmless]\nbiopsy");
await page.getByRole("button", { name: "Save" }).click();
await page.getByText("would hide what is found now").waitFor();
assert.match(await page.getByLabel("Words of our own").inputValue(), /biopsy/);
await looked("overlay refused");
await page.getByLabel("Words of our own").fill("[medication certain any]\nquillonol, quillo");
await page.getByRole("button", { name: "Save" }).click();
await page.getByText("not tried yet").waitFor();
assert(await page.getByRole("button", { name: "Publish" }).isDisabled());
await shot("overlay-work");
await looked("overlay in work");

// A session that ends while somebody writes elsewhere than in the inbox: the words stay, and go once they are
// signed in again in another tab.
for (const [path, field, kept, action] of [
  ["/console/policy/overlay", "Words of our own", "[medication certain any]\nquillonol, quillo, quillar", "Save"],
  ["/console/prompts/edit/en/visit", "Text", "Your visit with us is on {{ when }}. We look forward to it.", "Save"],
]) {
  await page.goto(server + path);
  await page.getByRole("textbox", { name: field, exact: true }).fill(kept);
  await context.clearCookies();
  await page.getByRole("button", { name: action, exact: true }).first().click();
  await page.getByRole("heading", { name: "You were signed out" }).waitFor();
  assert.equal(new URL(page.url()).pathname, path, "the page is not left");
  await page.getByRole("button", { name: "I am signed in again" }).click();
  await page.getByText("You are not signed in yet.").waitFor();
  await looked(`signed out at ${path}`);
  await page.screenshot({ path: join(shots, `locked-${field === "Text" ? "prompt" : "overlay"}.png`) });
  const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: "Sign in", exact: true }).click()]);
  await signInAgain(tab, recovery.pop());
  await tab.close();
  await page.getByRole("button", { name: "I am signed in again" }).click();
  await page.getByRole("heading", { name: "You were signed out" }).waitFor({ state: "hidden" });
  assert.equal(await page.getByRole("textbox", { name: field, exact: true }).inputValue(), kept, "every word is there");
  const saved = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.getByRole("button", { name: action, exact: true }).first().click();
  await saved;
  await page.goto(field === "Text" ? `${server}/console/prompts` : server + path);
  await page.getByText("not tried yet").first().waitFor();
  assert((await page.content()).includes(field === "Text" ? "We look forward to it" : "quillar"), "and is saved");
}

// A text that comes into the open conversation before an empty chair stays new, until somebody moves.
// Each in a context of its own: a clock is of all pages of its context.
const beside = async () => (await browser.newContext({ viewport: { width: 1366, height: 768 }, storageState: await context.storageState() })).newPage();
const chair = await beside();
await chair.clock.install();
await chair.goto(`${server}/console/inbox/all`);
await chair.getByRole("link", { name: /Maria Gonzalez/ }).click();
await chair.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
await chair.clock.fastForward(61_000);
await text("+14155550111", "Is there parking?");
const fresh = chair.locator(".line.unread", { hasText: "Maria Gonzalez" });
await fresh.waitFor();
await chair.mouse.move(600, 400);
await fresh.waitFor({ state: "detached" });
await chair.context().close();

// Whoever types keeps the session, heard of once a minute; whoever leaves with words in a field finds the page covered.
const typist = await beside();
await typist.clock.install();
await typist.goto(`${server}/console/policy/overlay`);
const heard = [];
typist.on("request", (request) => { if (request.url().endsWith("/console/here")) heard.push(request.url()); });
await typist.getByRole("textbox", { name: "Words of our own" }).press("End");
assert.equal(heard.length, 0, "not within the first minute");
await typist.clock.fastForward(61_000);
const told = typist.waitForResponse((answer) => answer.url().endsWith("/console/here"));
await typist.keyboard.type("x");
assert.equal((await told).status(), 200);
await typist.keyboard.type("yz");
assert.equal(heard.length, 1, "once a minute");
await typist.clock.fastForward(15 * 60_000 + 10_000);
await typist.getByRole("heading", { name: "You were signed out" }).waitFor();
assert(!(await typist.getByRole("textbox", { name: "Words of our own" }).isVisible()), "nothing can be read over a shoulder");
await typist.context().close();

// A template on recent conversations, and its names offered while one types.
await page.goto(`${server}/console/prompts/edit/en/visit`);
const words = page.getByLabel("Text", { exact: true });
await words.fill("We see you on ");
await words.press("End");
await page.keyboard.type("{{ w");
await page.locator("#variables-list li").first().waitFor();
await shot("autocomplete");
await page.keyboard.press("Enter");
assert.match(await words.inputValue(), /\{\{ w\w+ \}\}/);
await page.getByText(/µs|ms/).first().waitFor();
await page.getByRole("button", { name: "Answer recent texts again" }).click();
await page.getByText(/recent texts? answered again/).waitFor({ timeout: 60_000 });
await shot("recent");
await looked("recent");

await browser.close();
assert.deepEqual(faults, []);
console.log("all held");
