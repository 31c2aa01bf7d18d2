// A day at the inbox without a single click: in, to a patient, an override, a reply that is kept ready, a hand-over,
// a label, a colleague's turn, done and snoozed with their undo. The focus can be seen wherever it stands.
// Usage: node keys.mjs SERVER RECOVERY_CODE FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import { join, open } from "./staff.mjs";

const [server, recovery, shots] = process.argv.slice(2);
const { browser, context, page, faults } = await open(server);
page.setDefaultTimeout(10_000);
await context.exposeFunction("clicked", (where) => faults.push(`a pointer was used at ${where}`));
await context.addInitScript(() => {
  for (const event of ["pointerdown", "mousedown", "touchstart"]) addEventListener(event, (it) => globalThis.clicked(it.target.outerHTML.slice(0, 80)), true);
});
const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
/** What has the focus, and whether it can be seen. */
const focus = () => page.evaluate(() => {
  const it = document.activeElement;
  const style = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  return {
    tag: it.tagName, id: it.id, words: (it.textContent || it.value || "").trim().slice(0, 40),
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.height > 0
      && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
});
const has = (locator) => locator.evaluate((it) => it === document.activeElement);
/** Goes on by Tab until something has the focus; each stop on the way can be seen. */
async function reach(locator, by = "Tab") {
  for (let steps = 0; steps < 80; steps += 1) {
    await press(by);
    const at = await focus();
    if (at.tag !== "BODY") assert(at.seen, `the focus cannot be seen on ${JSON.stringify(at)}`);
    if (await has(locator)) return;
  }
  assert.fail("the keyboard does not come there");
}
const heading = (name) => page.getByRole("heading", { name, level: 1 }).waitFor();

// In: the first field has the focus, and Enter sends.
await page.goto(`${server}/console/sign-in`);
assert((await focus()).seen);
await page.keyboard.type("owner@example.com");
await press("Tab");
await page.keyboard.type("three herons by the lake");
await press("Enter");
await page.getByLabel("Code").waitFor();
await page.keyboard.type(recovery);
await press("Enter");
await page.locator(".line").first().waitFor();
// The first Tab offers to pass over the bar.
await press("Tab");
assert.equal((await focus()).words, "Skip to the page");
assert((await focus()).seen);

// All keys are shown, and go.
await press("?");
await page.getByRole("dialog", { name: "Keys" }).waitFor();
for (const key of ["j", "k", "r", "a", "e", "s", "m", "l", "z", "u", "/", "?"]) assert(await page.locator("#help kbd", { hasText: key }).count() > 0, `${key} is told`);
await press("Escape");
await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" });

// A label and a reply that is kept ready, made on their pages.
await reach(page.getByRole("link", { name: "Make a label" }));
await press("Enter");
await heading("Labels");
await reach(page.getByLabel("Name", { exact: true }));
await page.keyboard.type("Call back");
await press("Enter");
await page.locator(".label-list .label", { hasText: "Call back" }).waitFor();
await reach(page.getByRole("link", { name: "← Inbox" }));
await press("Enter");
await page.locator(".line").first().waitFor();
await press("j", "Enter");
await page.locator(".talk-who h1").waitFor();
await reach(page.getByRole("link", { name: "Replies", exact: true }));
await press("Enter");
await heading("Replies kept ready");
await reach(page.getByLabel("Name", { exact: true }));
await page.keyboard.type("Parking");
await press("Tab");
await page.keyboard.type("Parking is free behind the house.");
await reach(page.getByRole("button", { name: "Keep it" }));
await press("Enter");
await page.getByRole("rowheader", { name: "Parking" }).waitFor();
await reach(page.getByRole("link", { name: "← Inbox" }));
await press("Enter");
await page.locator(".line").first().waitFor();

// j and k show where they are; / finds, and j and Enter open.
await press("j", "j");
assert.equal(await page.locator(".line.at").count(), 1);
assert(await page.locator(".line").nth(1).evaluate((it) => it.classList.contains("at")));
await press("k");
assert(await page.locator(".line").first().evaluate((it) => it.classList.contains("at")));
await press("/");
assert(await has(page.locator("#q")) && (await focus()).seen);
await page.keyboard.type("gonz");
await press("Enter");
await page.waitForURL(/[?]s=/);
await page.locator(".line", { hasText: "Maria Gonzalez" }).waitFor();
assert.equal(await page.locator(".line").count(), 1);
await press("j", "Enter");
await heading("Maria Gonzalez");

// The draft that is held is overridden, with a reason and a note, and it is sent.
const card = page.locator(".hold", { hasText: "We open at 8 tomorrow." });
await reach(card.getByRole("button", { name: "Override" }));
await press("Enter");
const panel = page.getByRole("dialog", { name: "Override this hold" });
await panel.waitFor();
const reason = panel.getByLabel("Why may it go as it stands?");
assert(await has(reason) && (await focus()).seen, "its first field has the focus");
// Without a reason it stays.
await press("Tab", "Tab", "Enter");
assert(await panel.isVisible(), "nothing goes without a reason");
await reach(reason, "Shift+Tab");
for (let steps = 0; steps < 12 && await reason.inputValue() !== "false_alarm"; steps += 1) await press("ArrowDown");
assert.equal(await reason.inputValue(), "false_alarm");
await press("Tab");
await page.keyboard.type("The rule took 8 for a dose.");
await press("Tab");
assert.equal((await focus()).words, "Send it");
await page.screenshot({ path: join(shots, "keys-override.png") });
await press("Enter");
await page.locator(".text.ours", { hasText: "We open at 8 tomorrow." }).waitFor();
await page.locator(".note-of", { hasText: "The rule took 8 for a dose." }).waitFor();
assert.equal(await page.locator(".hold").count(), 0, "the card is gone");
await page.getByText("you answer", { exact: true }).waitFor();

// r writes; a reply that is kept ready is chosen, and Ctrl and Enter send it.
await press("r");
const box = page.getByLabel("Your answer");
assert(await has(box) && (await focus()).seen);
await page.keyboard.type("Good morning.");
await reach(page.getByLabel("Put in a reply that is kept ready"));
await press("ArrowDown");
await page.waitForFunction(() => document.querySelector("#text").value.includes("Parking"));
assert.equal(await box.inputValue(), "Good morning. Parking is free behind the house.");
assert(await has(box), "and the box has the focus again");
await press("Control+Enter");
await page.locator(".text.ours", { hasText: "Good morning. Parking is free" }).waitFor();
assert.equal(await box.inputValue(), "");
await press("Escape");

// a gives back, and takes over again.
await press("a");
await page.getByText("The agent answers", { exact: true }).waitFor();
await press("a");
await page.getByText("you answer", { exact: true }).waitFor();
// m assigns, l labels: the first choice has the focus.
await press("m");
assert((await focus()).seen && (await focus()).id === "assign-me");
await press("Enter");
await page.locator("#assign summary", { hasText: "you" }).waitFor();
await press("l");
assert((await focus()).seen);
await press("Enter");
await page.locator("#state .label", { hasText: "Call back" }).waitFor();
await page.screenshot({ path: join(shots, "keys-labelled.png") });
// Escape closes a menu, and its button has the focus.
await press("s", "Escape");
assert.equal((await focus()).words, "Snooze");
// s snoozes, z takes it back; e is done, z takes it back.
await press("s", "Enter");
await page.getByText(/^Snoozed until/).first().waitFor();
await page.locator(".line", { hasText: "Maria" }).waitFor({ state: "detached" });
await press("z");
await page.locator(".line", { hasText: "Maria" }).waitFor();
await heading("Maria Gonzalez");
await press("e");
await page.getByText(/^Done\. It comes back/).waitFor();
await page.locator(".line", { hasText: "Maria" }).waitFor({ state: "detached" });
await press("z");
await heading("Maria Gonzalez");
// u marks as unread: the list says so.
await press("u");
await page.locator(".line.unread", { hasText: "Maria" }).waitFor();

// Out.
await reach(page.getByRole("button", { name: "Sign out" }));
await press("Enter");
await heading("Sign in");
assert.deepEqual(faults, []);
await browser.close();
console.log("all held");
