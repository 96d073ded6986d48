// Strangers at the sign-in: forged and stolen states, another browser, another site's form, codes and refresh tokens
// that come twice. OAUTH rules in RFC 6749 sections 4.1.2 and 10, RFC 9700 sections 2.1 and 4.14.
import assert from "node:assert/strict";
import test from "node:test";
import { Browser, formOf } from "../runtime/support/browser.mjs";
import { open, post, request } from "../runtime/support/mcp.mjs";
import {
  ADELE, ALEX, APPROVE, REDIRECT_URI, approve, authorizeUrl, chooseAccount, chooseAccountOnly, openConsent, pkce, random,
  redemption, refreshing, register, signIn, token, untilCode,
} from "../runtime/support/oauth.mjs";
import { event, serve } from "../runtime/support/server.mjs";
import { atConsent, beforeCallback, isLive, tokenCalls } from "../runtime/support/steps.mjs";

const server = await serve();
const { emulator, url } = server;

function assertRefusedHere(response, text) {
  assert.ok([400, 403].includes(response.status), `${response.status} ${text}`);
  assert.equal(response.headers.get("location"), null);
}

test("a forged or foreign state at the callback is refused, and Entra is not asked", async () => {
  const { browser, callback } = await beforeCallback(url);
  const before = await tokenCalls(emulator);
  const real = callback.searchParams.get("state");
  const flipped = real.slice(0, -2) + (real.endsWith("A") ? "BB" : "AA");
  const unsigned = Buffer.from(JSON.stringify({ clientId: "x", redirectUri: REDIRECT_URI })).toString("base64");
  for (const state of [undefined, "", "x", flipped, unsigned, random(), `${real}.${real}`]) {
    const forged = new URL(callback);
    forged.searchParams.delete("state");
    if (state !== undefined) forged.searchParams.set("state", state);
    const response = await browser.request(forged);
    assertRefusedHere(response, `state ${state}: ${await response.text()}`);
  }
  const twice = new URL(callback);
  twice.searchParams.append("state", real);
  assertRefusedHere(await browser.request(twice), "state twice");
  assert.equal(await tokenCalls(emulator), before);
});

test("the callback in another browser is refused, and does not end the sign-in of the right one", async () => {
  const { browser, callback, ...flow } = await beforeCallback(url);
  const before = await tokenCalls(emulator);
  const stranger = new Browser();
  const response = await stranger.request(callback);
  assertRefusedHere(response, await response.text());
  assert.equal(await tokenCalls(emulator), before, "no code of a stranger is redeemed");
  const end = await browser.visit(callback, { stop: (at) => at.href.startsWith(REDIRECT_URI) });
  const { status } = await token(url, redemption({ ...flow, code: end.url.searchParams.get("code") }));
  assert.equal(status, 200);
});

test("the callback of one sign-in is refused in a browser that is in the middle of another", async () => {
  const [victim, attacker] = await Promise.all([beforeCallback(url), beforeCallback(url)]);
  const before = await tokenCalls(emulator);
  const response = await victim.browser.request(attacker.callback);
  assertRefusedHere(response, await response.text());
  assert.equal(await tokenCalls(emulator), before);
});

test("a callback counts once", async () => {
  const { browser, callback } = await beforeCallback(url);
  assert.equal((await browser.request(callback)).status, 302);
  const again = await browser.request(callback);
  assertRefusedHere(again, await again.text());
});

test("a consent form that another site sends opens no sign-in", async () => {
  const { browser, consent } = await atConsent(url);
  const { action, fields } = formOf(consent, APPROVE);
  const body = new URLSearchParams(fields).toString();
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const foreign = { method: "POST", body, from: "https://evil.example/" };
  const wrong = {
    "another site": { ...foreign, headers: form },
    "another origin of this site": {
      method: "POST", body, from: consent.url.href, headers: { ...form, origin: "http://localhost:1", "sec-fetch-site": "same-site" },
    },
    "an opaque origin": { ...foreign, headers: { ...form, origin: "null" } },
  };
  for (const [name, options] of Object.entries(wrong)) {
    const response = await browser.request(action, options);
    assertRefusedHere(response, `${name}: ${await response.text()}`);
  }
});

test("a consent form without its page's cookie or its secret field opens no sign-in", async () => {
  const { consent } = await atConsent(url);
  const other = await atConsent(url);
  const { action, fields } = formOf(consent, APPROVE);
  const send = (browser, pairs) =>
    browser.request(action, {
      method: "POST",
      body: new URLSearchParams(pairs).toString(),
      from: consent.url.href,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  const noCookie = await send(new Browser(), fields);
  assertRefusedHere(noCookie, await noCookie.text());
  const othersCookie = await send(other.browser, fields);
  assertRefusedHere(othersCookie, await othersCookie.text());
  const hidden = fields.slice(0, -1);
  for (const [name] of hidden) {
    const without = await send((await atConsent(url)).browser, fields.filter(([field]) => field !== name));
    assertRefusedHere(without, `without ${name}: ${await without.text()}`);
  }
});

test("cookies of the sign-in are bound to this host, hidden from scripts and short-lived", async () => {
  const { browser } = await beforeCallback(url);
  const ours = browser.jar.all().filter(({ name }) => name.startsWith("__Host-"));
  assert.ok(ours.length > 0);
  for (const { name, flags } of ours) {
    assert.ok(flags.has("httponly") && flags.has("secure"), name);
    assert.equal(flags.get("samesite")?.toLowerCase(), "lax", name);
    assert.ok(Number(flags.get("max-age")) <= 600, name);
  }
});

test("an unknown client or redirect address is told here and nothing is sent there", async () => {
  const { client_id: clientId } = await register(url);
  const { challenge } = pkce();
  for (const asked of [{ clientId: "unknown" }, { clientId, redirectUri: "https://evil.example/callback" }, { clientId, redirectUri: `${REDIRECT_URI}/x` }]) {
    const response = await new Browser().request(authorizeUrl(url, { challenge, ...asked }));
    assert.equal(response.status, 400);
    assert.equal(response.headers.get("location"), null);
  }
});

test("a client's name cannot become part of the page", async () => {
  const { client_id: clientId } = await register(url, { name: `<script>alert(1)</script>"'&\u202e` });
  const { html } = await openConsent(new Browser(), authorizeUrl(url, { clientId, challenge: pkce().challenge }));
  assert.doesNotMatch(html, /<script>alert|\u202e/);
});

test("a code that comes again ends the grant and all its tokens at once", async () => {
  const flow = await signIn(url);
  assert.equal(await isLive(url, flow.access), true);
  const replay = await token(url, redemption(flow));
  assert.deepEqual([replay.status, replay.body.error], [400, "invalid_grant"]);
  assert.equal(await isLive(url, flow.access), false);
  assert.equal((await token(url, refreshing(flow, flow.refresh))).body.error, "invalid_grant");
  await event(server, "grant.revoked");
});

test("a wrong verifier, redirect address or client neither consumes a code nor ends a grant", async () => {
  const flow = await untilCode(url);
  const { client_id: otherClient } = await register(url);
  const right = redemption(flow);
  const wrong = [{ code_verifier: random() }, { redirect_uri: `${REDIRECT_URI}?x=1` }, { client_id: otherClient }, { resource: "https://other.example/mcp" }];
  for (const change of wrong) assert.equal((await token(url, { ...right, ...change })).status, 400, JSON.stringify(change));
  const { status, body } = await token(url, right);
  assert.equal(status, 200);
  // A used code in another client's hand is no replay.
  assert.equal((await token(url, { ...right, client_id: otherClient })).status, 400);
  assert.equal(await isLive(url, body.access_token), true);
});

test("a lost answer may be asked for again until its tokens are used; an older token ends the grant", async () => {
  const flow = await signIn(url);
  const first = await token(url, refreshing(flow, flow.refresh));
  const again = await token(url, refreshing(flow, flow.refresh));
  assert.equal(again.status, 200, "the answer was lost");
  const second = await token(url, refreshing(flow, again.body.refresh_token));
  assert.equal(second.status, 200);
  assert.equal(await isLive(url, second.body.access_token), true);
  const stolen = await token(url, refreshing(flow, flow.refresh));
  assert.deepEqual([stolen.status, stolen.body.error], [400, "invalid_grant"]);
  assert.equal(await isLive(url, second.body.access_token), false);
  assert.equal((await token(url, refreshing(flow, second.body.refresh_token))).status, 400);
  assert.ok(first.body.refresh_token);
});

test("another client cannot use a refresh token", async () => {
  const flow = await signIn(url);
  const { client_id: clientId } = await register(url);
  assert.equal((await token(url, refreshing({ clientId }, flow.refresh))).body.error, "invalid_grant");
  assert.equal(await isLive(url, flow.access), true);
});

test("people of another tenant do not get in", async () => {
  const { browser, consent } = await atConsent(url);
  const accounts = await approve(browser, consent);
  const page = await chooseAccount(browser, accounts, "frank@fabrikam.example");
  assert.ok(!page.url.searchParams.get("code"));
});

for (const fault of ["bad-nonce", "wrong-audience", "wrong-tenant", "unknown-kid", "bad-signature", "expired"]) {
  test(`an id_token with ${fault} signs nobody in`, async () => {
    const { browser, callback } = await beforeCallback(url);
    await emulator.fault("entra", fault);
    const end = await browser.visit(callback, { stop: (at) => at.href.startsWith(REDIRECT_URI) });
    await emulator.clearFaults();
    assert.equal(end.url.searchParams.get("code"), null);
    if (!end.response) assert.ok(end.url.searchParams.get("error"));
  });
}

test("denying at the consent page and cancelling at Microsoft both tell the client access_denied", async () => {
  const isClient = (at) => at.href.startsWith(REDIRECT_URI);
  const denied = await atConsent(url);
  const first = await denied.browser.press(denied.consent, /deny|cancel/i, { stop: isClient });
  const cancelled = await atConsent(url);
  const accounts = await approve(cancelled.browser, cancelled.consent);
  const second = await cancelled.browser.press(accounts, /cancel/, { stop: isClient });
  for (const { url: end } of [first, second]) {
    assert.equal(end.searchParams.get("error"), "access_denied");
    assert.equal(end.searchParams.get("iss"), url);
    assert.ok(end.searchParams.get("state"));
  }
});

test("two people in two browsers get their own mail", async () => {
  const [adele, alex] = await Promise.all([signIn(url, { user: ADELE }), signIn(url, { user: ALEX })]);
  const mails = async (flow, user) => {
    const session = await open(url, flow.access);
    const params = { name: "getEmails", arguments: { count: 1 } };
    await post(url, { token: flow.access, session, body: request("tools/call", params) });
    return (await emulator.graphCalls()).at(-1).user === user;
  };
  assert.ok(await mails(adele, ADELE));
  assert.ok(await mails(alex, ALEX));
});
