// An administrator's consent through the real browser path: to Microsoft's page, back, and nothing given to anybody.
import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "./support/browser.mjs";
import { DENY, REDIRECT_URI, authorizeUrl, openConsent, approve, pkce, register } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const server = await serve();
const { emulator, url } = server;

const tokenCalls = async () => (await emulator.entraCalls()).filter((call) => call.endpoint === "token").length;
const atCallback = (at) => at.pathname === "/callback";

test("an administrator's answer at Microsoft is shown here, and Entra's token endpoint is not asked", async () => {
  for (const [button, said] of [[/accept/i, /were approved/], [DENY, /not approved/]]) {
    const browser = new Browser();
    const page = await browser.visit(`${url}/admin-consent`);
    assert.match(page.html, /Permissions requested/);
    const end = await browser.press(page, button);
    assert.equal(end.url.pathname, "/callback");
    assert.equal(end.response.status, 200, end.html);
    assert.match(end.html, said);
  }
  assert.equal(await tokenCalls(), 0);
});

test("an administrator's answer counts in no other browser and for no sign-in", async () => {
  const browser = new Browser();
  const { url: back } = await browser.press(await browser.visit(`${url}/admin-consent`), /accept/i, { stop: atCallback });
  assert.equal((await new Browser().request(back)).status, 403);
  const { client_id: clientId } = await register(url);
  const accounts = await approve(browser, await openConsent(browser, authorizeUrl(url, { clientId, challenge: pkce().challenge })));
  const mixed = new URL(back);
  mixed.searchParams.set("state", new URL(accounts.url).searchParams.get("state"));
  assert.equal((await browser.request(mixed)).status, 403);
  const forged = new URL(back);
  forged.searchParams.delete("state");
  assert.equal((await browser.request(forged)).status, 400);
  const end = await browser.press(accounts, DENY, { stop: (at) => at.href.startsWith(REDIRECT_URI) });
  assert.equal(end.url.searchParams.get("error"), "access_denied");
  assert.match(end.url.searchParams.get("error_description"), /declined/);
  assert.equal(await tokenCalls(), 0);
});
