// Every page of the console and of the portal, the rare ones too, as it is met: a desk and a phone, light and
// dark. Each is sound for axe, fits its screen, and asks nobody but this house; each is photographed.
// Usage: node gallery.mjs SERVER INVITATION ENDED_LINK ZIP_SERVER FOLDER_FOR_SCREENSHOTS. Writes axe.json there, with what
// axe found on each page; ends with "all held", or fails with all that is wrong.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { COLOURS, violations } from "./axe.mjs";
import { join, open, owner } from "./staff.mjs";

const [server, invitation, ended, zips, shots] = process.argv.slice(2);
const SCREENS = [[1366, 768], [390, 844]];
const SCHEMES = ["light", "dark"];
const [MARIA, JAMES, TOM] = ["+14155550111", "+14155550112", "+14155550114"];
const LAKESIDE = "+14155550101";

const began = performance.now();
const { browser, context, page, faults } = await open(server, { alsoAsks: [new URL(ended).origin, zips] });
page.on("dialog", (dialog) => dialog.accept());
page.setDefaultTimeout(10000);
const wrong = [];
const rows = [];

/** Looks at what stands on the page now, on each screen in each scheme. */
async function met(name, { at = page, whole = true } = {}) {
  const found = {};
  for (const [width, height] of SCREENS) {
    await at.setViewportSize({ width, height });
    for (const scheme of SCHEMES) {
      await at.emulateMedia({ colorScheme: scheme });
      const which = `${name}-${width}-${scheme}`;
      const over = await at.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong.push(`${which}: ${over} px wider than the screen`);
      // The scheme changes colours and nothing else.
      const seen = await violations(at, scheme === "dark" ? COLOURS : null);
      found[`${width}-${scheme}`] = seen.length;
      wrong.push(...seen.map((it) => `${which}: ${it.told}`));
      await at.screenshot({ path: join(shots, `${which}.png`), fullPage: whole });
    }
  }
  rows.push({ name, found });
  await at.setViewportSize({ width: 1366, height: 768 });
  await at.emulateMedia({ colorScheme: "light" });
}
const goes = async (path, at = page) => at.goto(path.startsWith("http") ? path : server + path);
const see = async (name, path, options = {}) => {
  await goes(path, options.at);
  if (options.until) await (options.at ?? page).locator(options.until).first().waitFor();
  await met(name, options);
};
const text = async (from, body, at = server) => {
  const answer = await fetch(`${at}/simulator/messages`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ from, to: LAKESIDE, body }),
  });
  assert.equal(answer.status, 202);
};
/** The newest text to a phone that fits and was not there before, once it is there. */
async function received(who, pattern, { after = 0, at = server } = {}) {
  for (let until = Date.now() + 15_000; Date.now() < until;) {
    const all = await (await fetch(`${at}/simulator/messages?with=${encodeURIComponent(who)}`)).json();
    const fitting = all.filter((it) => it.direction === "outbound" && pattern.test(it.body));
    if (fitting.length > after) return fitting.at(-1).body.match(pattern)[1];
    await new Promise((done) => { setTimeout(done, 50); });
  }
  assert.fail(`no text to ${who} like ${pattern}`);
}
const LINK = /(https?:\/\/\S+\/p\/[\w-]+)/;
/** A link to a secure message for a phone. */
async function linked(who, at = server) {
  await text(who, "Are my biopsy results in?", at);
  await received(who, /(YES)/, { at });
  await text(who, "YES", at);
  return (await received(who, LINK, { at })).replace(/^https?:\/\/[^/]+/, at);
}

/* The door. */
await owner(page, invitation, (name) => met(name));
const guest = await (await browser.newContext({ locale: "en-US" })).newPage();
await see("sign-in", "/console/sign-in", { at: guest });
const signs = async (password) => {
  await guest.locator("#email").fill("owner@example.com");
  await guest.locator("#password").fill(password);
  await guest.keyboard.press("Enter");
};
await signs("nobody's password");
await guest.getByRole("alert").waitFor();
await met("sign-in-wrong", { at: guest });
await signs("three herons by the lake");
await guest.getByRole("heading", { name: "One more step" }).waitFor();
await met("second-code", { at: guest });
await guest.locator("#code").fill("000000");
await guest.keyboard.press("Enter");
await guest.getByRole("alert").waitFor();
await met("second-code-wrong", { at: guest });
await see("invitation-ended", "/console/join/an-invitation-that-nobody-was-ever-sent", { at: guest });

/* Texts for all of it. */
const tom = await linked(TOM);
await text(MARIA, "When is my appointment?");
await received(MARIA, /(YES)/);
await text(MARIA, "YES");
await text(JAMES, "I have crushing chest pain and can't breathe");
await received(JAMES, /(911)/);

/* The inbox. */
await see("inbox", "/console/inbox/all", { until: ".line", whole: false });
await see("inbox-empty", "/console/inbox/snoozed", { until: ".empty", whole: false });
await goes("/console/inbox/all");
await page.locator("#q").fill("nobody of this name");
await page.keyboard.press("Enter");
await page.getByText("Nobody found.").waitFor();
await met("inbox-nobody-found", { whole: false });
const opened = async (queue, name) => {
  await goes(`/console/inbox/${queue}`);
  await page.locator(".line a", name ? { hasText: name } : {}).first().click();
  await page.locator(".talk-who h1").waitFor();
};
await opened("emergency", "James");
await met("emergency", { whole: false });
await opened("all", "Maria Gonzalez");
await met("conversation", { whole: false });
for (const menu of ["assign", "labelling", "snooze"]) {
  await page.locator(`#${menu} summary`).click();
  await met(`menu-${menu}`, { whole: false });
  await page.keyboard.press("Escape");
}
await page.locator("#texts").focus();
await page.keyboard.press("?");
await met("keys", { whole: false });
await page.keyboard.press("Escape");
await page.getByLabel("Your answer").fill("Your A1c was 9.2%, please call us.");
await page.getByText("The patient would get this:").waitFor();
await met("verdict", { whole: false });
await page.getByLabel("Your answer").fill("");
await page.locator("#verdict").waitFor({ state: "hidden" });

// A draft that is held, with what was found in it; then its override.
await goes("/console/inbox/held");
for (const place of await page.locator(".line a").evaluateAll((all) => all.map((it) => it.href))) {
  await goes(place);
  if (await page.locator(".hold mark").count() > 0) break;
}
const card = page.locator(".hold", { has: page.locator("mark") }).first();
await met("held", { whole: false });
await card.locator("details summary").first().click();
await met("held-findings", { whole: false });
await card.getByRole("button", { name: "Override" }).click();
await page.getByRole("dialog", { name: "Override this hold" }).waitFor();
await met("override", { whole: false });
await page.keyboard.press("Escape");

/* Beside the inbox. */
await see("labels-empty", "/console/labels");
await page.getByLabel("Name", { exact: true }).fill("Call back");
await page.getByRole("button", { name: "Make it" }).click();
await page.locator(".label-list .label").waitFor();
await met("labels");
await see("replies-empty", "/console/replies");
await page.getByLabel("Name", { exact: true }).fill("Parking");
await page.getByLabel("Words", { exact: true }).fill("Parking is free behind the house.");
await page.getByRole("button", { name: "Keep it" }).click();
await page.getByRole("rowheader", { name: "Parking" }).waitFor();
await met("replies");
await goes("/console/team");
await page.getByLabel("Name", { exact: true }).fill("Robin 🙂 דָּוִד");
await page.getByLabel("E-mail", { exact: true }).fill("robin.vega@example.com");
await page.locator("#role").selectOption("clinician");
await page.getByRole("button", { name: "Make a link" }).click();
await page.locator("#link").waitFor();
await met("team");

/* Figures. */
await see("overview", "/console/overview?days=90");
await see("changes", "/console/overview/changes");

/* What the agent says. */
await see("prompts", "/console/prompts");
await see("prompt-version", "/console/prompts/version/1");
await see("prompt", "/console/prompts/edit/en/visit");
await page.getByLabel("Text", { exact: true }).fill("Your biopsy is on {{ when }}.");
await page.getByText("details go behind the link").waitFor();
await met("prompt-rewritten");
await page.getByRole("button", { name: "Save" }).click();
await page.getByText("not tried yet").waitFor();
await met("prompt-in-work");
await page.getByRole("button", { name: "Discard all changes" }).click();
await page.getByText("The changes are discarded.").waitFor();

/* The policy. */
await see("policy", "/console/policy");
await page.getByRole("link", { name: "Try on stored drafts" }).first().click();
await page.getByLabel("How many days back").waitFor();
await met("policy-version");
await see("overlay", "/console/policy/overlay");
await page.getByLabel("Words of our own").fill("[harmless]\nbiopsy");
await page.getByRole("button", { name: "Save" }).click();
await page.getByText("would hide what is found now").waitFor();
await met("overlay-refused");
await page.getByLabel("Words of our own").fill("[medication certain any]\nquillonol, quillo");
await page.getByRole("button", { name: "Save" }).click();
await page.getByText("not tried yet").waitFor();
await met("overlay-in-work");
await page.getByRole("button", { name: "Discard all changes" }).click();

/* The officer's. */
await see("compliance", "/console/compliance");
await page.getByLabel("Phone number").fill("(415) 555-0111");
await page.keyboard.press("Enter");
await page.locator(".timeline li").first().waitFor();
await met("consent-timeline");
await page.getByRole("link", { name: /rights and disclosures/ }).first().click();
await page.getByText("No disclosure is recorded.").waitFor();
await met("patient-empty");
const day = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
await page.getByLabel("Day", { exact: true }).fill(day(6));
await page.getByLabel("Why they were told").selectOption("law_enforcement");
await page.getByLabel("Who was told").fill("Lake County Sheriff");
await page.getByLabel("What they were told, in brief").fill("Dates of two visits");
await page.getByLabel("What for, in brief").fill("Warrant of the superior court");
await page.getByRole("button", { name: "Record it" }).click();
await page.getByText("Recorded. The accounting tells of it").waitFor();
await met("patient");
await page.getByRole("link", { name: "Accounting for the patient" }).click();
await page.getByRole("heading", { name: "Accounting of disclosures", level: 1 }).waitFor();
await met("accounting");
await page.goBack();
await page.getByLabel("Came in on").fill(day(3));
await page.getByLabel("What they want, and in which form").fill("Everything, on paper");
await page.getByRole("button", { name: "Open a case" }).click();
await page.getByText("By law:").waitFor();
await met("case");
await see("retention", "/console/retention");
await see("breach-empty", "/console/breach");
await page.getByLabel("Name", { exact: true }).fill("A letter to the wrong house");
await page.getByLabel("Discovered").fill(day(2));
await page.getByLabel("People of each state, one state a line").fill("CA 620\nNV 3");
await page.getByRole("button", { name: "Save and compute" }).click();
await page.getByRole("heading", { name: "Clocks" }).waitFor();
await met("breach");
await see("agreements", "/console/agreements");
await see("audit", "/console/audit?check=1", { until: ".pill.good" });
await see("audit-empty", "/console/audit?rule=us.tcpa.hours");

/* The set-up. */
for (const step of ["practice", "number", "carrier", "agreement", "model", "notice", "file", "test"]) await see(`set-up-${step}`, `/console/setup/${step}`);
await see("findings", "/console/findings");

/* The session ends while somebody writes. */
await opened("all", "Maria Gonzalez");
await page.getByLabel("Your answer").fill("Half a sentence that");
const cookies = await context.cookies();
await context.clearCookies();
await text(JAMES, "Hello again");
await page.getByRole("heading", { name: "You were signed out" }).waitFor();
await met("locked", { whole: false });
await context.addCookies(cookies);
await page.getByRole("button", { name: "I am signed in again" }).click();
await page.getByLabel("Your answer").fill("");

/* The portal. */
const patient = await (await browser.newContext({ locale: "en-US" })).newPage();
const portal = (name, path, options) => see(name, path, { at: patient, ...options });
const at = { at: patient };
const birth = async (month, date, year) => {
  await patient.locator("#month").fill(month);
  await patient.locator("#day").fill(date);
  await patient.locator("#year").fill(year);
  await patient.keyboard.press("Enter");
};
await portal("portal-ask", tom);
await portal("portal-ask-es", `${tom}?lang=es`);
await goes(tom, patient);
await birth("7", "5", "1978");
await patient.getByText("You have 4 tries left.").waitFor();
await met("portal-wrong", at);
await birth("7", "4", "1978");
await patient.getByLabel("6-digit code").waitFor();
await met("portal-code", at);
await patient.getByLabel("6-digit code").fill(await received(TOM, /code is\D*(\d{6})/));
await patient.keyboard.press("Enter");
await patient.getByRole("button", { name: "Send", exact: true }).waitFor();
await met("portal-room", at);
await patient.getByLabel("Write to our staff").fill("Thank you. Should I repeat the test?");
await patient.getByRole("button", { name: "Send", exact: true }).click();
await patient.getByText("Sent. Our staff will read it").waitFor();
for (const fold of await patient.locator("details > summary").all()) await fold.click();
await met("portal-replied", at);
await patient.getByLabel("Write to our staff").fill("I have crushing chest pain and can't breathe");
await patient.getByRole("button", { name: "Send", exact: true }).click();
await patient.locator(".urgent").waitFor();
await met("portal-urgent", at);
await portal("portal-missing", "/p/a-link-that-nobody-was-ever-sent");
await portal("portal-expired", ended);

// Staff close a link; a house asks for the ZIP code; five wrong answers; nobody may be sent a code.
await opened("all", "Tom Nguyen");
await page.locator(".links").waitFor();
await met("secure-messages", { whole: false });
await page.getByRole("button", { name: "Close the link" }).first().click();
await page.getByText("closed by staff").waitFor();
await patient.context().clearCookies();
await portal("portal-closed", tom);
const zip = await linked(TOM, zips);
await portal("portal-zip", zip);
for (let tries = 0; tries < 5; tries += 1) {
  await patient.locator("#zip").fill("00000");
  await birth("1", "1", "1990");
}
await patient.getByText("There were too many tries").waitFor();
await met("portal-locked", at);
await text(TOM, "Are my biopsy results in?");
const second = (await received(TOM, LINK, { after: 1 })).replace(/^https?:\/\/[^/]+/, server);
await text(TOM, "STOP");
await received(TOM, /(START)/);
await goes(second, patient);
await birth("7", "4", "1978");
await patient.getByText("We cannot send you a code").waitFor();
await met("portal-uncodable", at);

/* What anybody may open. */
await portal("home", "/");
await portal("chat", "/chat/lakeside");
await portal("simulator", "/simulator", { until: "textarea", whole: false });

await browser.close();
writeFileSync(join(shots, "axe.json"), JSON.stringify(rows));
assert.deepEqual([...new Set([...wrong, ...faults])], []);
console.log(`${rows.length} pages, each on ${SCREENS.length} screens in ${SCHEMES.length} schemes, in ${Math.round((performance.now() - began) / 1000)} s`);
console.log("all held");
