// Every page and every refusal that a browser may be shown, as workerd sends it: the headers that keep it from being
// framed, stored, sniffed or leaked, and no name in it that only the request knew.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import test from "node:test";
import { Browser } from "../runtime/support/browser.mjs";
import { ADELE, APPROVE, DENY, approve, authorizeUrl, chooseAccountOnly, openConsent, pkce, register } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { atConsent, beforeCallback } from "../runtime/support/steps.mjs";

const server = await serve();
const { url } = server;
const { client_id: clientId } = await register(url);
const asked = (change = {}) => authorizeUrl(url, { clientId, challenge: pkce().challenge, ...change });
const EVIL = "evil.example";
/** The whole policy, but for its nonce. `form-action` would break the chain of redirects after the form. */
const POLICY = /^default-src 'none'; (style-src 'nonce-[\w-]+'; )?(script-src 'nonce-[\w-]+'; )?(style-src 'nonce-[\w-]+'; )?(img-src data:; )?base-uri 'none'; frame-ancestors 'none'$/;

function assertPage(response, html, what) {
  const { headers } = response;
  assert.equal(headers.get("content-type"), "text/html; charset=utf-8", what);
  assert.match(headers.get("content-security-policy") ?? "", POLICY, what);
  assert.equal(headers.get("x-frame-options"), "DENY", what);
  assert.equal(headers.get("cache-control"), "no-store", what);
  assertBase(headers, what);
  const nonce = headers.get("content-security-policy").match(/nonce-([\w-]+)/)?.[1];
  for (const [tag] of html.matchAll(/<(style|script)\b[^>]*>/g)) assert.ok(tag.includes(`nonce="${nonce}"`), `${what}: ${tag}`);
  assert.doesNotMatch(html, /\son\w+=|javascript:|<(img|iframe|object|embed|link)\b/i, what);
}

/** What every answer to a browser has, page or redirect. */
function assertBase(headers, what) {
  assert.equal(headers.get("referrer-policy"), "no-referrer", what);
  assert.equal(headers.get("x-content-type-options"), "nosniff", what);
  assert.match(headers.get("strict-transport-security") ?? "", /max-age=\d{8}/, what);
  assert.equal(headers.get("access-control-allow-origin"), null, what);
}

/** A browser that is signed in to the account page. */
async function atAccount(browser = new Browser()) {
  const welcome = await browser.visit(`${url}/account`);
  const accounts = await browser.press(welcome, /Sign in with Microsoft/);
  return { browser, welcome, account: await browser.press(accounts, new RegExp(ADELE)) };
}

const posted = { method: "POST", body: "x=1", headers: { "content-type": "application/x-www-form-urlencoded" } };
const PAGES = {
  landing: [200, () => new Browser().visit(url)],
  consent: [200, () => new Browser().visit(asked())],
  "an unknown client": [400, () => new Browser().visit(asked({ clientId: "A".repeat(22) }))],
  "a foreign redirect address": [400, () => new Browser().visit(asked({ redirectUri: "https://evil.example/cb" }))],
  "no client": [400, () => new Browser().visit(`${url}/authorize`)],
  "a document that is not there": [400, () => new Browser().visit(asked({ clientId: "https://app.contoso.example/none.json" }))],
  "a decision from nowhere": [403, () => new Browser().visit(`${url}/authorize`, { ...posted, from: "https://evil.example/" })],
  "a decision without its page": [403, () => new Browser().visit(`${url}/authorize`, { ...posted, from: url })],
  "a callback from nowhere": [403, () => new Browser().visit(`${url}/callback?code=x&state=m365s.x.y`)],
  "a callback without state": [400, () => new Browser().visit(`${url}/callback?code=x`)],
  "a used callback": [403, async () => {
    const { browser, callback } = await beforeCallback(url);
    await browser.request(callback);
    return browser.visit(callback);
  }],
  "the account's welcome": [200, async () => (await atAccount()).welcome],
  account: [200, async () => (await atAccount()).account],
  "a foreign account's callback": [403, () => new Browser().visit(`${url}/callback?code=x&state=m365u.x.y`)],
  "an account's form from nowhere": [403, async () => (await atAccount()).browser.visit(`${url}/account`, { ...posted, from: "https://evil.example/" })],
};

for (const [what, [status, visit]] of Object.entries(PAGES)) {
  test(`${what}: the page keeps to itself`, async () => {
    const { response, html } = await visit();
    assert.equal(response.status, status, html);
    assertPage(response, html, what);
  });
}

test("redirects keep to themselves as well, and are 302 without a body", async () => {
  const flow = await atConsent(url);
  const { browser } = flow;
  const accounts = await approve(browser, flow.consent);
  const { url: callback } = await chooseAccountOnly(browser, accounts, ADELE);
  const answers = {
    "a fault of the client's": await new Browser().request(`${asked()}&response_mode=fragment`),
    "back to the client": await browser.request(callback),
  };
  for (const [what, response] of Object.entries(answers)) {
    assert.equal(response.status, 302, what);
    assert.equal(response.headers.get("cache-control"), "no-store", what);
    assertBase(response.headers, what);
    assert.equal(await response.text(), "", what);
  }
});

/** A request with headers that `fetch` would not let through; everything that came back, as one text. */
function raw(path, { method = "GET", headers = {}, body } = {}) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers: { host: `${hostname}:${port}`, ...headers } });
    sent.once("error", reject).once("response", (response) => {
      let text = `${response.statusCode} ${JSON.stringify(response.rawHeaders)}\n`;
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk)).once("end", () => resolve(text));
    });
    sent.end(body);
  });
}

const NAMES = {
  Host: { host: EVIL },
  "Host with a port": { host: `${EVIL}:443` },
  "X-Forwarded-Host": { "x-forwarded-host": EVIL, "x-forwarded-proto": "https" },
  Forwarded: { forwarded: `host=${EVIL};proto=https` },
  "X-Original-URL": { "x-original-url": `https://${EVIL}/`, "x-rewrite-url": `https://${EVIL}/` },
};

for (const [what, headers] of Object.entries(NAMES)) {
  test(`${what}: no page, document, challenge or redirect takes a name from the request`, async () => {
    const query = new URL(asked()).search;
    const consent = await raw(`/authorize${query}`, { headers });
    const texts = [
      consent,
      await raw("/", { headers }),
      await raw("/account", { headers }),
      await raw("/authorize", { headers }),
      await raw("/callback?code=x&state=m365s.x.y", { headers }),
      await raw(`/authorize${query}&response_mode=fragment`, { headers }),
      await raw("/.well-known/oauth-authorization-server", { headers }),
      await raw("/.well-known/oauth-protected-resource/mcp", { headers }),
      await raw("/healthz", { headers }),
      await raw("/unknown", { headers }),
      await raw("/mcp", { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: "{}" }),
      await raw("/token", { method: "POST", headers: { ...headers, "content-type": "application/x-www-form-urlencoded" }, body: "x=1" }),
    ];
    for (const text of texts) assert.ok(!text.includes(EVIL), text.slice(0, 600));
  });
}

test("a sign-in whose every request names another host still goes to the configured one", async () => {
  const browser = new Browser({ "x-forwarded-host": EVIL, forwarded: `host=${EVIL}` });
  const consent = await openConsent(browser, asked());
  const denied = await browser.press(consent, DENY, { stop: (at) => at.port === "43110" });
  assert.equal(denied.url.searchParams.get("iss"), url);
  const again = await openConsent(browser, asked());
  const accounts = await browser.press(again, APPROVE);
  assert.equal(accounts.url.searchParams.get("redirect_uri"), `${url}/callback`);
});
