// The chat of a practice's web site, on a page of another origin with a strict policy of its own: a patient
// with keys alone, staff who answer live, a line that breaks.
// Usage: node chat.mjs SERVER PORT_OF_THE_SITE INVITATION FOLDER_FOR_SCREENSHOTS. Ends with "all held".

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join, open, owner } from "./staff.mjs";
import { sound } from "./axe.mjs";

const [server, port, invitation, shots] = process.argv.slice(2);
const MARIA = "+14155550111";
const site = `http://localhost:${port}`;

const html = (attributes) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Lakeside Family Medicine</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css">
<script src="${server}/chat/lakeside/widget.js" ${attributes} async></script></head>
<body><header><strong>Lakeside Family Medicine</strong></header><main><h1>Care by the lake</h1>
<p>We are a family practice in Alameda. Walk in, call, or chat with us.</p>
<p><a href="#visit">Plan your visit</a></p></main></body></html>`;
const css = `body{margin:0;font:18px/1.6 Georgia,serif;color:#223;background:#eef3f1}header{padding:24px 8vw;background:#fff}
main{padding:8vh 8vw;max-width:40em}h1{font-size:42px;line-height:1.1}button,iframe{display:none!important;color:red!important}
@media(prefers-color-scheme:dark){body{color:#dde;background:#1a2024}header{background:#11161a}a{color:#8cf}}`;
const serve = (at) => new Promise((done) => {
  const listening = createServer((request, answer) => {
    const sheet = request.url === "/site.css";
    answer.writeHead(200, {
      "content-type": sheet ? "text/css" : "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; img-src data:; style-src 'self'; script-src ${server}; frame-src ${server}`,
    });
    answer.end(sheet ? css : html(request.url === "/es" ? 'data-lang="es" data-color="#ffcc00"' : ""));
  }).listen(at, "localhost", () => done(listening));
});
const listening = await serve(Number(port));

const { browser, context, page, faults, fits } = await open(server, { alsoAsks: [site] });
await context.addInitScript(() => {
  globalThis.shifts = 0;
  new PerformanceObserver((list) => { for (const it of list.getEntries()) globalThis.shifts += it.value; }).observe({ type: "layout-shift", buffered: true });
  document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
});
const sizes = { desk: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } };
const frame = () => page.frames().find((it) => it.url().startsWith(`${server}/chat/`));
/** In four looks: at a desk and on a phone, light and dark; and as axe-core finds it. */
const looked = async (name) => {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    await fits();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`) });
      await sound(page, `${name}, ${size}, ${colorScheme}`);
      if (frame() && (await frame().frameElement()).isVisible()) await sound(frame(), `${name}, frame, ${size}, ${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(sizes.desk);
};
const thread = async () => (await fetch(`${server}/simulator/messages?with=${encodeURIComponent(MARIA)}`)).json();
const code = async (seen) => {
  for (;;) {
    const codes = (await thread()).flatMap((it) => it.body.match(/code is (\d{6})/)?.[1] ?? []);
    if (codes.length > seen) return codes.at(-1);
    await new Promise((done) => { setTimeout(done, 50); });
  }
};

// The button is reached by keys and moves nothing of the site.
await page.goto(site);
const button = page.getByRole("button", { name: "Open the chat" });
await button.waitFor();
assert.equal(await page.evaluate(() => globalThis.shifts), 0, "the site moved");
await looked("closed");
await page.keyboard.press("Tab");
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
const chat = page.frameLocator("iframe");
await chat.getByLabel("Mobile number").waitFor();
const element = await page.locator("iframe").evaluate((it) => ({ title: it.title, sandbox: it.sandbox.value, loading: it.loading, referrer: it.referrerPolicy, src: it.src }));
assert.deepEqual(element, {
  title: "Chat with the practice", loading: "lazy", referrer: "no-referrer", src: `${server}/chat/lakeside?lang=en`,
  sandbox: "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox",
});
const focused = () => frame().evaluate(() => document.hasFocus() && document.activeElement.id);
const until = async (what, wanted) => { for (;;) { if (await what() === wanted) return; await new Promise((done) => { setTimeout(done, 20); }); } };
await until(focused, "number");
await page.keyboard.press("Escape");
await until(() => page.evaluate(() => document.querySelector("anteroom-chat").shadowRoot.activeElement?.getAttribute("aria-label")), "Open the chat");
assert(!await page.locator("iframe").isVisible());
await page.keyboard.press("Enter");
await until(focused, "number");
await looked("number");

// A slip is told; the code comes to the phone; a wrong one costs a try.
await page.keyboard.type("555-0111");
await page.keyboard.press("Enter");
await chat.getByText("Write a 10-digit number").waitFor();
await looked("number-wrong");
await chat.getByLabel("Mobile number").fill("(415) 555-0111");
await page.keyboard.press("Enter");
await until(focused, "code");
const right = await code(0);
await looked("code");
await chat.getByLabel("6-digit code").fill(right === "000000" ? "000001" : "000000");
await page.keyboard.press("Enter");
await chat.getByText("Tries left: 4").waitFor();
await looked("code-wrong");
await chat.getByLabel("6-digit code").fill(right);
await page.keyboard.press("Enter");
await until(focused, "text");
await looked("empty");

// A message is sent once, whoever clicks twice; the question is answered after YES without retyping.
const log = chat.getByRole("log");
await chat.getByLabel("Your message").fill("Where can I park?");
await chat.getByRole("button", { name: "Send" }).dblclick();
await log.getByText("Reply YES").waitFor();
assert.equal(await log.getByText("Where can I park?").count(), 1);
await looked("asked");
await chat.getByRole("button", { name: "Yes", exact: true }).click();
await log.getByText("Free behind the building").waitFor();
await looked("answered");

// Staff find it in their inbox, and what they write is there at once.
const desk = await open(server);
await owner(desk.page, invitation);
await desk.page.goto(`${server}/console/inbox/all`);
await desk.page.getByRole("link", { name: /Maria Gonzalez/ }).filter({ hasText: /chat/i }).click();
await desk.page.getByRole("heading", { name: "Maria Gonzalez", level: 1 }).waitFor();
await desk.page.screenshot({ path: join(shots, "console.png") });
const answer = async (text) => {
  await desk.page.getByLabel("Your answer").fill(text);
  await desk.page.getByRole("button", { name: "Send", exact: true }).click();
};
await answer("Use the blue door; it is open until six.");
await log.getByText("Use the blue door").waitFor();
await desk.page.locator(".text.ours", { hasText: "blue door" }).getByText("delivered").waitFor();

// Closed, it counts what came; opened, it counts no more.
await chat.getByLabel("Your message").focus();
await page.keyboard.press("Escape");
await answer("We keep a place for you.");
await page.getByRole("button", { name: "Open the chat, 1 new message" }).waitFor();
await looked("unread");
await page.keyboard.press("Enter");
await log.getByText("We keep a place for you.").waitFor();
await until(() => page.getByRole("button", { name: /^Open the chat/ }).count(), 0);

// What could not be sent stays in its box and says so; it goes when the line is back, once.
await context.setOffline(true);
await chat.getByLabel("Your message").fill("Thank you, I am on my way.");
await page.keyboard.press("Enter");
await chat.getByText("It was not sent. Your message is still here").waitFor();
assert.equal(await chat.getByLabel("Your message").inputValue(), "Thank you, I am on my way.");
await looked("offline");
await context.setOffline(false);
await chat.getByLabel("Your message").press("Enter");
await log.getByText("Thank you, I am on my way.").waitFor();
assert.equal(await log.getByText("Thank you, I am on my way.").count(), 1);

// Nothing is kept; the end takes everything off the screen.
const kept = () => {
  // A browser that keeps nothing for a frame of another site says so by an exception.
  const count = (of) => { try { return of().length; } catch { return 0; } };
  return [count(() => document.cookie), count(() => localStorage), count(() => sessionStorage)].join();
};
for (const place of [page, frame()]) assert.equal(await place.evaluate(kept), "0,0,0");
assert.deepEqual(await context.cookies(), []);
assert(page.frames().every((it) => !/token|session|415/.test(it.url())));
await chat.getByRole("button", { name: "End chat" }).click();
await chat.getByText("We took the conversation off this screen.").waitFor();
assert.equal(await log.locator("li").count(), 0);
await looked("ended");

// In Spanish, in the practice's own colour.
await page.goto(`${site}/es`);
await page.getByRole("button", { name: "Abrir el chat" }).click();
await chat.getByText("No use este chat en una emergencia").waitFor();
await looked("spanish");

// Another site is refused by the browser.
const other = await context.newPage();
const elsewhere = await serve(0);
await other.goto(`http://localhost:${elsewhere.address().port}`);
await other.getByRole("button", { name: "Open the chat" }).click();
await until(async () => other.frames().length, 2);
await until(async () => other.frames()[1].url().startsWith("chrome-error:"), true);
await other.close();

// A broken line is told by the browser as well; that is no fault of the page.
assert.deepEqual(faults.filter((it) => !/ERR_INTERNET_DISCONNECTED|ERR_NETWORK/.test(it)), []);
assert.deepEqual(desk.faults, []);
await desk.browser.close();
await browser.close();
listening.close();
elsewhere.close();
console.log("all held");
