// Signs in by a real OpenID provider (oidc-provider, certified) in a real browser.
// Usage: node oidc.mjs SERVER PROVIDER_PORT FOLDER_FOR_SCREENSHOTS. Ends with "all held", or fails.

import assert from "node:assert/strict";
import Provider from "oidc-provider";
import { join, open } from "./staff.mjs";
import { sound } from "./axe.mjs";

const [server, port, shots] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
// What the provider knows of its people; `sub` is what they type.
const people = {
  dana: { email: "dana@example.com", email_verified: true, name: "Dana Whitfield", groups: ["clinic-desk"] },
  nora: { email: "nora@example.com", email_verified: true, name: "Nora Ibarra", groups: ["clinic-owners", "staff"] },
  olaf: { email: "olaf@example.com", email_verified: false, name: "Olaf Jansen", groups: ["clinic-owners"] },
  pia: { email: "pia@example.com", email_verified: true, name: "Pia Ueda", groups: ["gardeners"] },
  // Another person who was given Dana's address.
  dora: { email: "dana@example.com", email_verified: true, name: "Dora Vance", groups: ["clinic-desk"] },
};
const provider = new Provider(issuer, {
  clients: [{
    client_id: "anteroom", client_secret: "a-secret-of-the-tests-0123456789", redirect_uris: [`${server}/console/sso/back`],
    grant_types: ["authorization_code"], response_types: ["code"],
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true, methods: ["S256"] },
  cookies: { keys: ["a key of the tests"] },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
});
const asked = [];
provider.on("authorization.accepted", (context) => asked.push(context.oidc.params));
const listening = provider.listen(Number(port), "127.0.0.1");

const { browser, page, faults } = await open(server, { alsoAsks: [issuer] });
// The provider's own pages ask for a font elsewhere; ours ask for nothing.
await page.route("https://fonts.googleapis.com/**", (route) => route.abort());
const ours = () => faults.filter((it) => !/fonts\.googleapis\.com|ERR_FAILED/.test(it));
const shot = (name) => page.screenshot({ path: join(shots, `${name}.png`) });

/** From the sign-in page through the provider's own pages and back. */
async function signIn(who) {
  await page.context().clearCookies();
  await page.goto(`${server}/console/sign-in`);
  await page.getByRole("link", { name: "Sign in with Lakeside ID" }).click();
  await page.locator("input[name=login]").fill(who);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.locator("form[action*='/interaction/'] button[type=submit]").click();
  await page.waitForURL(`${server}/console/**`);
}

await page.goto(`${server}/console/sign-in`);
await page.getByRole("link", { name: "Sign in with Lakeside ID" }).waitFor();
await sound(page, "sign-in with single sign-on");
await shot("sso-sign-in");

// Her first sign-in makes her account, with the role that her group gives.
await signIn("nora");
await page.locator(".tabs").waitFor();
assert.equal(await page.locator(".me strong").textContent(), "Nora Ibarra");
assert.equal(await page.locator(".me span").textContent(), "Owner");
await shot("sso-in");
const { state, nonce, code_challenge: challenge, code_challenge_method: method } = asked.at(-1);
assert(state.length >= 43 && nonce.length >= 43 && challenge.length === 43 && method === "S256");

await signIn("dana");
await page.locator(".tabs").waitFor();
assert.equal(await page.locator(".me span").textContent(), "Front desk");
assert.equal(await page.getByRole("link", { name: "Team" }).count(), 0);

for (const [who, says] of [
  ["olaf", "no verified e-mail address"],
  ["pia", "gives you no role here"],
  ["dora", "belongs to somebody else here"],
]) {
  await signIn(who);
  await page.getByText(says).waitFor();
  await sound(page, `sign-in refused: ${who}`);
  await page.goto(`${server}/console/inbox/all`);
  assert(page.url().includes("/console/sign-in"), `${who} got in`);
}

// A way back that this browser did not begin: somebody else's code signs nobody in.
await page.goto(`${server}/console/sso/back?code=stolen&state=${state}&iss=${encodeURIComponent(issuer)}`);
await page.getByText("was not begun in this browser").waitFor();
await shot("sso-refused");

assert.deepEqual(ours(), []);
await browser.close();
listening.close();
console.log("all held");
process.exit(0);
