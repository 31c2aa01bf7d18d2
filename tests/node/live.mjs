// What staff see of a practice on a real carrier's webhooks: a signed text is in the inbox within a second, its
// answer's delivery is told as the carrier reports it, and each conversation says how it stands.
// Usage: node live.mjs SERVER PORT_OF_THE_CARRIER INVITATION FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { sound } from "./axe.mjs";
import { join, open, owner } from "./staff.mjs";

const [server, port, invitation, shots] = process.argv.slice(2);
const [ACCOUNT, TOKEN] = [`AC${"0".repeat(32)}`, "0123456789abcdef0123456789abcdef"];
const [SMS, WHATSAPP] = ["+14155550101", "whatsapp:+14155550103"];
/** How soon a text must be seen after its webhook was sent, in milliseconds. */
const LIVE_MS = 1000;

/* The carrier: it takes what it is sent, and remembers. */
const sent = [];
const carrier = createServer((request, answer) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    sent.push(Object.fromEntries(new URLSearchParams(body)));
    answer.writeHead(201, { "content-type": "application/json" });
    answer.end(JSON.stringify({ sid: `SM${String(sent.length).padStart(32, "a")}`, status: "queued", num_segments: "1" }));
  });
});
await new Promise((done) => { carrier.listen(Number(port), "127.0.0.1", done); });
async function posts(path, fields) {
  const signed = `${server}${path}${Object.keys(fields).sort().map((name) => name + fields[name]).join("")}`;
  const answer = await fetch(`${server}${path}`, {
    method: "POST", body: new URLSearchParams(fields),
    headers: { "x-twilio-signature": createHmac("sha1", TOKEN).update(signed).digest("base64") },
  });
  assert(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
}
let count = 0;
const text = (From, Body, To = SMS) => posts("/webhooks/twilio/lakeside", {
  MessageSid: `SM${String(count += 1).padStart(32, "b")}`, AccountSid: ACCOUNT, From, To, Body,
  NumMedia: "0", NumSegments: "1", SmsStatus: "received", ApiVersion: "2010-04-01",
});
/** What the carrier was given for somebody that fits, with its number there, once it is there. */
async function given(to, pattern) {
  for (let until = Date.now() + 15_000; Date.now() < until;) {
    const at = sent.findLastIndex((it) => it.To === to && pattern.test(it.Body));
    if (at >= 0) return { ...sent[at], sid: `SM${String(at + 1).padStart(32, "a")}` };
    await new Promise((done) => { setTimeout(done, 20); });
  }
  assert.fail(`nothing like ${pattern} was sent to ${to}`);
}
const reports = (it, MessageStatus, more = {}) => {
  const to = new URL(it.StatusCallback);
  return posts(to.pathname + to.search, { MessageSid: it.sid, AccountSid: ACCOUNT, From: it.From, To: it.To, MessageStatus, ApiVersion: "2010-04-01", ...more });
};

const { browser, context, page, faults } = await open(server);
page.setDefaultTimeout(15_000);
await owner(page, invitation);
await page.goto(`${server}/console/inbox/all`);
await page.getByText("No conversation yet.").waitFor();

// Live: from the moment that the carrier posts until it is on the page; a new conversation in the list, then each
// text in the one that is open.
const took = [];
async function timed(From, words, place, shown) {
  const seen = page.evaluate(([at, said]) => new Promise((done) => {
    const look = () => document.querySelector(at).textContent.includes(said);
    const watch = new MutationObserver(() => { if (look()) { watch.disconnect(); done(Date.now()); } });
    watch.observe(document.querySelector(at), { childList: true, subtree: true, characterData: true });
    setTimeout(() => done(Infinity), 10_000);
  }), [place, shown]);
  const began = Date.now();
  await text(From, words);
  took.push(await seen - began);
}
await timed("+14155550117", "What are your hours?", "#lines", "O'Connor");
await given("+14155550117", /Reply YES/);
await page.getByRole("link", { name: /O'Connor/ }).click();
await page.getByRole("heading", { name: /O'Connor/, level: 1 }).waitFor();
await timed("+14155550117", "And where do I park?", "#texts", "And where do I park?");
await timed("+14155550117", "Thanks, see you then", "#texts", "Thanks, see you then");
assert(took.every((it) => it <= LIVE_MS), `live after ${took.join(", ")} ms`);
await page.goto(`${server}/console/inbox/all`);

// Delivery, text by text, as the carrier reports it; nobody presses reload.
await text("+14155550111", "When is my appointment?");
const notice = await given("+14155550111", /Reply YES/);
await page.getByRole("link", { name: /Maria Gonzalez/ }).click();
await page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
const first = page.locator(".text.ours").first();
await first.getByText(/with the carrier/).waitFor();
await page.getByText("Asked; no answer yet").first().waitFor();
await reports(notice, "sent");
await first.getByText(/· sent/).waitFor();
await reports(notice, "delivered");
await first.getByText(/· delivered/).waitFor();
await text("+14155550111", "YES");
const visit = await given("+14155550111", /next visit/);
const last = page.locator(".text.ours", { hasText: "Your next visit" });
await last.getByText(/with the carrier/).waitFor();
await reports(visit, "undelivered", { ErrorCode: "30003" });
await last.getByText(/could not be delivered/).waitFor();
assert(await last.evaluate((it) => it.classList.contains("bad")), "and it stands out");
await sound(page, "undelivered");
await page.screenshot({ path: join(shots, "undelivered.png") });

// Consent, with the version of the notice that was agreed to.
const pill = page.locator("#state .pill", { hasText: "Agreed to health details by text" });
assert.match(await pill.textContent(), /notice risk_notice\/\d+ · [0-9a-f]{6}$/);
assert.match(await pill.getAttribute("title"), /^Since .+, notice risk_notice\/\d+ [0-9a-f]{12}, until .+/);
assert.match(await page.locator("#facts").textContent(), /Notice\s*risk_notice\/\d+/);

// On paper: the conversation and who it is with; no list, no box, no buttons.
await page.emulateMedia({ media: "print" });
assert(await last.isVisible() && await page.getByRole("heading", { level: 1 }).isVisible());
for (const gone of [".bar", ".queues", ".list", ".write", ".talk-head .acts"]) assert(!(await page.locator(gone).first().isVisible()), `${gone} is on paper`);
assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0, "paper has no buttons");
const cut = await page.locator("#texts").evaluate((it) => it.scrollHeight - it.clientHeight);
assert(cut <= 0, `${cut} px of the texts are cut off on paper`);
await page.screenshot({ path: join(shots, "inbox-print.png"), fullPage: true });
await page.emulateMedia({ media: "screen" });

// A number that two patients share: staff are warned, and no name stands over it.
await text("+14155550119", "Hello, it is me");
await page.goto(`${server}/console/inbox/all`);
await page.locator(".line", { hasText: "0119" }).locator("a").click();
await page.getByText("Several patients use this number.").waitFor();
assert(!/Kim|Hernandez/.test(await page.locator(".talk-head").textContent()), "nobody is named before it is clear who writes");
await page.screenshot({ path: join(shots, "shared.png") });

// WhatsApp: the head counts down how long the practice may write freely.
await text("whatsapp:+14155550114", "Are you open on Monday?", WHATSAPP);
await page.goto(`${server}/console/inbox/all`);
await page.locator(".line", { hasText: "whatsapp" }).locator("a").click();
const window = page.locator("#window");
await window.waitFor();
assert.match(await window.textContent(), /^23 h 59 min$/);
assert(Number(await window.getAttribute("data-seconds")) > 86_400 - 120);
await page.screenshot({ path: join(shots, "whatsapp.png") });
// Counted down where nobody reloads: in a context of its own, for a clock is of all pages of its context.
const later = await (await browser.newContext({ storageState: await context.storageState() })).newPage();
await later.clock.install();
await later.goto(page.url());
await later.locator("#window").waitFor();
await later.clock.runFor(10 * 60_000);
assert.match(await later.locator("#window").textContent(), /^23 h (48|49) min$/);
await later.context().close();

// The suites run, and their bar moves.
await page.goto(`${server}/console/prompts/edit/en/thanks`);
await page.getByLabel("Text", { exact: true }).fill("With pleasure. Text us any time.");
await page.getByRole("button", { name: "Save" }).click();
await page.getByRole("button", { name: "Run the suites" }).click();
const bar = page.getByRole("progressbar", { name: "Cases run" });
await page.waitForFunction(() => document.querySelector("#bar")?.value > 0 && document.querySelector("#bar").max > 1, undefined, { timeout: 60_000 });
const before = await bar.evaluate((it) => it.value);
assert.match(await page.locator("#ran").textContent(), /^\d+ of \d+ cases/);
assert(await page.getByRole("button", { name: "Publish" }).isDisabled());
await page.waitForFunction((was) => document.querySelector("#bar").value > was, before, { timeout: 60_000 });
await sound(page, "the suites are running");
await page.screenshot({ path: join(shots, "running.png") });

assert.deepEqual(faults, []);
await browser.close();
carrier.closeAllConnections();
carrier.close();
console.log(`live after ${took.join(", ")} ms`);
console.log("all held");
