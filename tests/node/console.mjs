// Drives the staff console in a real browser: a new owner signs in, reads, answers and signs out.
// Usage: node console.mjs SERVER INVITATION FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { chrome, listen } from "./chrome.mjs";
import { code } from "./staff.mjs";
import { sound } from "./axe.mjs";

const [server, invitation, shots] = process.argv.slice(2);
const browser = await chrome();

const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: "en-US" });
const page = await context.newPage();
page.on("dialog", (dialog) => dialog.accept());
const faults = [];
let expected = null;
listen(page, [server], faults, (text) => expected?.test(text));
const shot = (name) => page.screenshot({ path: `${shots}/${name}.png` });
const fits = async () => {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, "the page is wider than the screen");
};
const text = async (from, body) => {
  const answer = await fetch(`${server}/simulator/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ from, to: "+14155550101", body }),
  });
  assert.equal(answer.status, 202);
};
const thread = async (who) => (await fetch(`${server}/simulator/messages?with=${encodeURIComponent(who)}`)).json();
const MARIA = "+14155550111";
const JAMES = "+14155550112";

// The way in, with keys alone: the first field has the focus.
await page.goto(invitation);
assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "Welcome, Sam Rivera");
await page.keyboard.type("three herons by the lake");
await page.keyboard.press("Tab");
await page.keyboard.type("three herons by the lake");
await page.keyboard.press("Enter");
await page.getByRole("heading", { name: "Set up your second factor" }).waitFor();
await page.getByText("The camera does not work").click();
const key = await page.locator(".key").textContent();
await shot("second-factor");
await sound(page, "second factor");
await page.getByLabel("The code that it shows").focus();
await page.keyboard.type(code(key));
await page.keyboard.press("Enter");
await page.getByRole("heading", { name: "Keep these recovery codes" }).waitFor();
assert.equal(await page.locator(".codes li").count(), 8);
await page.getByRole("link", { name: "I have kept them" }).click();
await page.getByText("No conversation yet.").waitFor();
await shot("empty");

// A colleague, whose name has an emoji and runs from right to left.
const colleague = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: "en-US" });
await page.goto(`${server}/console/team`);
await page.getByLabel("Name", { exact: true }).fill("Robin 🙂 דָּוִד");
await page.getByLabel("E-mail", { exact: true }).fill("robin.vega@example.com");
await page.locator("#role").selectOption("clinician");
await page.getByRole("button", { name: "Make a link" }).click();
const link = await page.locator("#link").textContent();
{
  const door = await colleague.newPage();
  await door.goto(link);
  await door.keyboard.type("four quiet herons by the lake");
  await door.keyboard.press("Tab");
  await door.keyboard.type("four quiet herons by the lake");
  await door.keyboard.press("Enter");
  await door.getByText("The camera does not work").click();
  const secret = await door.locator(".key").textContent();
  await door.getByLabel("The code that it shows").fill(code(secret));
  await door.keyboard.press("Enter");
  await door.getByRole("heading", { name: "Keep these recovery codes" }).waitFor();
  await door.close();
}
await page.goto(`${server}/console/inbox/all`);

// The inbox is live: nobody presses reload.
const began = Date.now();
await text(MARIA, "When is my appointment?");
await page.locator(".line").first().waitFor();
const live = Date.now() - began;
await text(MARIA, "YES");
await text(JAMES, "I have crushing chest pain and can't breathe");
await page.locator(".line.alarm").waitFor();
await page.getByRole("link", { name: /^Emergency 1/ }).waitFor();
await shot("inbox");
await sound(page, "inbox");

// j and Enter open the first of a queue.
await page.goto(`${server}/console/inbox/emergency`);
await page.locator(".line").first().waitFor();
await page.keyboard.press("j");
await page.keyboard.press("Enter");
await page.getByRole("heading", { name: "James Whitfield", level: 1 }).waitFor();
await shot("emergency");
await page.getByRole("button", { name: "I have it" }).click();
await page.getByRole("button", { name: "I have it" }).waitFor({ state: "detached" });

await page.goto(`${server}/console/inbox/all`);
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
assert.equal(await page.title(), "Inbox · anteroom", "no name in the title");
assert(!page.url().includes("Maria") && !page.url().includes("5550111"), "nobody's name in the address");

// What may go goes; what may not is shown as the patient would get it.
await page.keyboard.press("r");
await page.keyboard.type("Your A1c was 9.2%, please call us.");
await page.getByText("The patient would get this:").waitFor();
await page.getByRole("button", { name: "Send the safe version" }).waitFor();
await shot("verdict");
await sound(page, "verdict");
await fits();
await page.keyboard.press("Control+Enter");
await page.locator(".text.ours", { hasText: "/p/" }).waitFor();
const sent = (await thread(MARIA)).at(-1);
assert(sent.body.includes("/p/") && !sent.body.includes("A1c"), sent.body);
await page.getByText("you answer", { exact: true }).waitFor();

// A double click sends once.
const before = (await thread(MARIA)).length;
await page.getByLabel("Your answer").fill("Parking is free behind the house.");
await page.getByRole("button", { name: "Send", exact: true }).dblclick();
await page.locator(".text.ours", { hasText: "Parking is free" }).waitFor();
assert.equal((await thread(MARIA)).length, before + 1);

// A note is for colleagues: it stands among the texts, and nothing is sent.
await page.getByLabel("Your answer").fill("She asks for a call after three.");
await page.getByRole("button", { name: "Keep as note" }).click();
await page.locator(".note-of", { hasText: "a call after three" }).waitFor();
assert.equal((await thread(MARIA)).length, before + 1);
await shot("note");

// A colleague is named by two letters and Enter; their first words go to them, not to the patient.
await page.getByLabel("Your answer").fill("");
await page.getByLabel("Your answer").focus();
await page.keyboard.type("Please look at this, @Ro");
await page.locator("#names-list li").first().waitFor();
await shot("names");
await page.keyboard.press("Enter");
assert.equal(await page.getByLabel("Your answer").inputValue(), "Please look at this, @Robin 🙂 דָּוִד ");
await page.keyboard.press("Control+Enter");
await page.getByText("This names a colleague.").waitFor();
await page.getByRole("button", { name: "Keep as note" }).click();
await page.locator(".names-of", { hasText: "@Robin 🙂 דָּוִד" }).waitFor();
assert.equal((await thread(MARIA)).length, before + 1);

// Triage with keys alone: a label, a colleague, a snooze with its undo, done with its undo.
await page.goto(`${server}/console/labels`);
await page.getByText("No label yet.").waitFor();
await page.getByLabel("Name", { exact: true }).fill("Call back");
await page.getByLabel("Colour", { exact: true }).selectOption("amber");
await page.getByRole("button", { name: "Make it" }).click();
await page.locator(".label-list .label", { hasText: "Call back" }).waitFor();
await shot("labels");
await sound(page, "labels");
await page.goto(`${server}/console/inbox/all`);
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
await page.keyboard.press("l");
await page.keyboard.press("Enter");
await page.locator("#state .label", { hasText: "Call back" }).waitFor();
await page.keyboard.press("m");
await page.keyboard.press("Enter");
await page.locator("#assign summary", { hasText: "you" }).waitFor();
await page.keyboard.press("s");
await shot("snooze");
await sound(page, "snooze menu");
await page.keyboard.press("Escape");
await page.keyboard.press("s");
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
await page.getByText(/^Snoozed until/).waitFor();
await page.locator(".line", { hasText: "Maria" }).waitFor({ state: "detached" });
await shot("snoozed");
await sound(page, "snoozed");
await page.keyboard.press("z");
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
await page.locator(".line", { hasText: "Maria" }).waitFor();
while (await page.locator(".aside").count() > 0) {
  const waiting = await page.locator(".hold").count();
  await page.locator("#texts").focus();
  await page.keyboard.press("e");
  await page.getByText("Set aside.").waitFor();
  assert.equal(await page.locator(".hold").count(), waiting - 1);
}
await page.locator("#texts").focus();
await page.keyboard.press("e");
await page.getByText(/^Done\. It comes back/).waitFor();
await page.locator(".line", { hasText: "Maria" }).waitFor({ state: "detached" });
await text(MARIA, "One more thing");
await page.locator(".line", { hasText: "Maria" }).waitFor();
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
await shot("triaged");
await page.goto(`${server}/console/inbox/mine`);
await page.locator(".line", { hasText: "Maria" }).waitFor();
await shot("mine");
await sound(page, "mine");
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();

// A reply that is kept ready is chosen, changed and not sent by the choice alone.
await page.goto(`${server}/console/replies`);
await page.getByLabel("Name", { exact: true }).fill("Parking");
await page.getByLabel("Words", { exact: true }).fill("Parking is free behind the house.");
await page.getByRole("button", { name: "Keep it" }).click();
await page.getByRole("rowheader", { name: "Parking" }).waitFor();
await page.goto(`${server}/console/inbox/all`);
await page.locator(".line").nth(1).waitFor();

// j goes down, k up again; / searches, and no address tells for whom.
await page.keyboard.press("j");
await page.keyboard.press("j");
await page.keyboard.press("k");
assert.deepEqual(await page.locator(".line").evaluateAll((all) => all.map((it) => it.classList.contains("at")).slice(0, 2)), [true, false]);
await page.keyboard.press("/");
assert(await page.locator("#q").evaluate((it) => it === document.activeElement));
await page.keyboard.type("gonz");
await page.keyboard.press("Enter");
await page.waitForURL(/[?]s=/);
await page.locator(".line", { hasText: "Maria Gonzalez" }).waitFor();
assert.equal(await page.locator(".line").count(), 1);
assert(!/gonz/i.test(page.url()), "no name in the address");
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
assert(!/gonz/i.test(page.url()), "no name in the address");
assert.equal(await page.locator("#q").inputValue(), "gonz", "what was searched for stays");
const ready = (await thread(MARIA)).length;
await page.getByLabel("Put in a reply that is kept ready").selectOption({ label: "Parking" });
assert.equal(await page.getByLabel("Your answer").inputValue(), "Parking is free behind the house.");
await page.locator("#segments", { hasText: "1 segment" }).waitFor();
assert.equal((await thread(MARIA)).length, ready);
await page.getByLabel("Your answer").fill("");
await page.goto(`${server}/console/inbox/mine`);
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();

// Two who write at once are told of each other, within a second or two, and it goes by itself.
const second = await colleague.newPage();
second.on("pageerror", (error) => faults.push(`script: ${error.message}`));
await second.goto(page.url());
await second.getByLabel("Your answer").fill("I am on it");
await page.getByText("Robin 🙂 דָּוִד is writing here too.").waitFor();
await shot("company");
await sound(page, "company");
await second.getByLabel("Your answer").fill("");
await page.locator("#company").waitFor({ state: "hidden", timeout: 15000 });
await second.close();

// A second click of the key gives the conversation back.
await page.keyboard.press("Escape");
await page.locator("#texts").focus();
await page.keyboard.press("a");
await page.getByText("The agent answers", { exact: true }).waitFor();

// A session that ends while somebody writes loses nothing of what they wrote.
await page.getByLabel("Your answer").fill("Half a sentence that");
expected = /401/;
const cookies = await context.cookies();
await context.clearCookies();
await text(JAMES, "Hello again");
await page.getByRole("heading", { name: "You were signed out" }).waitFor();
await shot("locked");
await context.addCookies(cookies);
await page.getByRole("button", { name: "I am signed in again" }).click();
await page.getByRole("heading", { name: "You were signed out" }).waitFor({ state: "hidden" });
assert.equal(await page.getByLabel("Your answer").inputValue(), "Half a sentence that");
assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
expected = null;

// Whoever opted out gets no text; a secure message waits in the portal, and staff read there what they wrote.
await page.getByLabel("Your answer").fill("");
await text(JAMES, "STOP");
await page.goto(`${server}/console/inbox/all`);
await page.locator(".line", { hasText: "James" }).locator(".tag", { hasText: "opted out" }).waitFor();
await page.getByRole("link", { name: /James Whitfield/ }).click();
await page.getByText("A secure message waits in the portal").waitFor();
assert.equal(await page.locator("#send").count(), 0, "no button sends a text");
const quiet = (await thread(JAMES)).length;
await page.getByLabel("Your answer").fill("Your test came back fine.");
await page.keyboard.press("Control+Enter");
await page.getByText("It waits in the portal. Nothing was texted.").waitFor();
await page.getByText("Read it").first().click();
await page.locator(".behind p", { hasText: "Your test came back fine." }).waitFor();
assert.equal((await thread(JAMES)).length, quiet);
await shot("opted-out");
await sound(page, "opted out");

// The other pages, and what the keys are.
await page.locator("#texts").focus();
await page.keyboard.press("?");
await page.getByRole("heading", { name: "Keys" }).waitFor();
await page.keyboard.press("Escape");
await page.goto(`${server}/console/team`);
await page.getByLabel("Name", { exact: true }).fill("Robin Vega");
await page.getByLabel("E-mail", { exact: true }).fill("robin@example.com");
await page.getByRole("button", { name: "Make a link" }).click();
await page.locator("#link").waitFor();
await shot("team");
await page.goto(`${server}/console/audit?check=1`);
await page.getByText("Chain verified").waitFor();
await shot("audit");
for (const [name, heading] of [["policy", "Policy and prompts"], ["agreements", "Agreements"], ["overview", "Overview"],
  ["compliance", "Compliance"], ["prompts", "Prompts"], ["team", "Team"], ["audit", "Audit log"]]) {
  await page.goto(`${server}/console/${name}`);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  await fits();
  await sound(page, name);
  await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}
await page.goto(`${server}/console/compliance`);
await page.getByLabel("Phone number").fill("(415) 555-0111");
await page.keyboard.press("Enter");
await page.locator(".timeline li.yes").waitFor();
await page.screenshot({ path: `${shots}/consent.png`, fullPage: true });
await sound(page, "consent");

// The breach worksheet, by keyboard: clocks of two states.
await page.goto(`${server}/console/breach`);
await page.getByLabel("Name", { exact: true }).focus();
await page.keyboard.type("Lost phone 📱");
await page.getByLabel("Discovered").fill(new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10));
await page.getByLabel("People of each state, one state a line").focus();
await page.keyboard.type("CA 620\nTX 260");
await page.getByRole("button", { name: "Save and compute" }).focus();
await page.keyboard.press("Enter");
await page.getByRole("heading", { name: "Clocks" }).waitFor();
await page.locator(".clocks tbody tr", { hasText: "attorney general" }).first().waitFor();
await page.screenshot({ path: `${shots}/breach.png`, fullPage: true });
await sound(page, "breach");
await fits();

// A text of the agent is changed: the phone shows what a patient would get while it is written, and
// Publish stays closed.
await page.goto(`${server}/console/prompts`);
await page.getByRole("link", { name: /^Your next visit is/ }).click();
await page.getByRole("heading", { name: /^visit/, level: 1 }).waitFor();
await page.getByLabel("Text", { exact: true }).fill("Your biopsy is on ");
await page.getByRole("button", { name: "{{ when }}" }).click();
await page.getByText("details go behind the link").waitFor();
await page.screenshot({ path: `${shots}/editor.png`, fullPage: true });
await sound(page, "editor");
await page.getByLabel("Text", { exact: true }).fill("You come to us on {{ when }}{% if provider %}, to {{ provider }}{% endif %}.");
await page.getByText("leaves as written").waitFor();
await page.getByRole("button", { name: "Save" }).click();
await page.getByText("not tried yet").waitFor();
assert(await page.getByRole("button", { name: "Publish" }).isDisabled());
await page.screenshot({ path: `${shots}/publish-closed.png` });
await sound(page, "wording in work");
await page.getByRole("button", { name: "Discard all changes" }).click();
await page.getByText("The changes are discarded.").waitFor();

// The same on a phone, in the dark.
const phone = await browser.newContext({
  viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true,
});
await phone.addCookies(await context.cookies());
const small = await phone.newPage();
small.on("pageerror", (error) => faults.push(`script: ${error.message}`));
for (const [name, path] of [["inbox", "/console/inbox/all"], ["team", "/console/team"], ["labels", "/console/labels"], ["breach", "/console/breach"], ["audit", "/console/audit"],
  ["policy", "/console/policy"], ["agreements", "/console/agreements"], ["overview", "/console/overview"],
  ["compliance", "/console/compliance"], ["prompts", "/console/prompts"], ["editor", "/console/prompts/edit/en/visit"]]) {
  await small.goto(server + path);
  const over = await small.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, `${path} is wider than a phone`);
  await sound(small, `${name} on a phone, dark`);
  await small.screenshot({ path: `${shots}/phone-${name}.png` });
}
await small.goto(`${server}/console/inbox/all`);
await small.getByRole("link", { name: /Maria Gonzalez/ }).click();
await small.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
await small.screenshot({ path: `${shots}/phone-open.png` });
await sound(small, "conversation on a phone, dark");
await small.locator("#snooze summary").click();
await small.screenshot({ path: `${shots}/phone-snooze.png` });
await sound(small, "snooze on a phone, dark");

await page.getByRole("button", { name: "Sign out" }).click();
await page.getByRole("heading", { name: "Sign in" }).waitFor();
await browser.close();
assert.deepEqual(faults, []);
console.log(`live after ${live} ms`);
console.log("all held");
