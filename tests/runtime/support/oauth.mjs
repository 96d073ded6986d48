// The client's half of OAuth by hand: registration, PKCE, sign-in through the consent page and the emulator's account
// page, redemption. Each step is a function, so that a hostile test can take another one.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Browser } from "./browser.mjs";

export const ADELE = "adele@contoso.example";
export const ALEX = "alex@contoso.example";
export const APPROVE = /approve|allow|continue/i;
export const DENY = /deny|cancel|decline/i;
export const REDIRECT_URI = "http://localhost:43110/callback";

export const random = (bytes = 32) => randomBytes(bytes).toString("base64url");

export function pkce() {
  const verifier = random();
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** `POST /register`; the client's registration. */
export async function register(url, { redirectUri = REDIRECT_URI, name = "Runtime test", headers = {} } = {}) {
  const response = await fetch(`${url}/register`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    }),
  });
  const body = await response.json();
  assert.equal(response.status, 201, JSON.stringify(body));
  return body;
}

/** The address a client opens in the browser. */
export function authorizeUrl(url, { clientId, redirectUri = REDIRECT_URI, challenge, state = random(16), resource = "/mcp", scope }) {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: "S256",
    state,
    resource: `${url}${resource}`,
    ...(scope ? { scope } : {}),
  });
  return `${url}/authorize?${query}`;
}

/** Opens the consent page. */
export async function openConsent(browser, address) {
  const page = await browser.visit(address);
  assert.equal(page.response.status, 200, page.html);
  return page;
}

/** Presses Approve and returns the emulator's account page. */
export async function approve(browser, consent) {
  const page = await browser.press(consent, APPROVE);
  assert.ok(page.response, "approving leads to Microsoft, not straight to the client");
  assert.equal(page.response.status, 200, page.html);
  assert.match(page.html, /Pick an account/);
  return page;
}

/** Chooses an account and follows the redirects until they leave for the client. */
export function chooseAccount(browser, page, user, redirectUri = REDIRECT_URI) {
  return browser.press(page, new RegExp(user.replace(".", "\\.")), { stop: isAt(redirectUri) });
}

/** Chooses an account and stops before the Worker's callback is asked. */
export function chooseAccountOnly(browser, page, user) {
  return browser.press(page, new RegExp(user.replace(".", "\\.")), { stop: (at) => at.pathname === "/callback" });
}

export const isAt = (uri) => (address) => address.href.startsWith(uri);

/** The whole way through the browser; where the client is called back. */
export async function walk(address, { user = ADELE, redirectUri = REDIRECT_URI, browser = new Browser() } = {}) {
  const consent = await openConsent(browser, address);
  const accounts = await approve(browser, consent);
  const end = await chooseAccount(browser, accounts, user, redirectUri);
  assert.ok(!end.response, `the sign-in ended on a page of ${end.url.pathname}: ${end.html}`);
  return end.url;
}

/** `POST /token` with these fields; status, headers and parsed body. */
export async function token(url, fields, headers = {}) {
  const response = await fetch(`${url}/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(fields).toString(),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The fields that redeem a code. */
export const redemption = (flow) => ({
  grant_type: "authorization_code",
  code: flow.code,
  client_id: flow.clientId,
  redirect_uri: flow.redirectUri,
  code_verifier: flow.verifier,
});

export const refreshing = (flow, refreshToken) => ({
  grant_type: "refresh_token",
  refresh_token: refreshToken,
  client_id: flow.clientId,
});

/** Everything up to the code. */
export async function untilCode(url, options = {}) {
  const { user, redirectUri = REDIRECT_URI, headers = {}, resource, scope } = options;
  const { client_id: clientId } = await register(url, { redirectUri, headers: options.apiHeaders });
  const { verifier, challenge } = pkce();
  const state = random(16);
  const address = authorizeUrl(url, { clientId, redirectUri, challenge, state, resource, scope });
  const end = await walk(address, { user, redirectUri, browser: new Browser(headers) });
  assert.equal(end.searchParams.get("error"), null, end.href);
  assert.equal(end.searchParams.get("state"), state);
  assert.equal(end.searchParams.get("iss"), url);
  return { clientId, redirectUri, verifier, code: end.searchParams.get("code") };
}

/** A whole sign-in: the flow's secrets with `access` and `refresh`. */
export async function signIn(url, options = {}) {
  const flow = await untilCode(url, options);
  const { status, body } = await token(url, redemption(flow), options.apiHeaders);
  assert.equal(status, 200, JSON.stringify(body));
  return { ...flow, access: body.access_token, refresh: body.refresh_token, expiresIn: body.expires_in };
}

/** `POST /revoke`. */
export async function revoke(url, flow, secret) {
  const response = await fetch(`${url}/revoke`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token: secret, client_id: flow.clientId }).toString(),
  });
  assert.equal(response.status, 200, await response.text());
}
