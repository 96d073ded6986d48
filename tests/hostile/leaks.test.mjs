// Every flow that there is, watched on the wire: of all tokens, codes, secrets, cookies and assertions that anybody sent
// or was given, none is in a log line, in the gateway's log, or in any byte that workerd stored; states and whole queries
// are in no log. Before the grants end and after. The life of one grant with its mail is tests/runtime/leaks.test.mjs.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { Browser } from "../runtime/support/browser.mjs";
import { findIn, storedBytes, variants } from "../runtime/support/leaks.mjs";
import { Session, initialize, post } from "../runtime/support/mcp.mjs";
import {
  ADELE, DENY, REDIRECT_URI, approve, authorizeUrl, chooseAccount, openConsent, pkce, random, redemption, refreshing, register, revoke,
  signIn, token, untilCode, walk,
} from "../runtime/support/oauth.mjs";
import { event, serve, userIdOf } from "../runtime/support/server.mjs";
import { atConsent, beforeCallback, postConsent } from "../runtime/support/steps.mjs";
import { Witness } from "../runtime/support/witness.mjs";

const persist = mkdtempSync(join(tmpdir(), "m365-mcp-leaks-"));
after(() => rmSync(persist, { recursive: true, force: true }));
const server = await serve({ persist, accessMode: "browser", rateLimits: true });
const { emulator, url, secrets } = server;
const witness = new Witness();
after(witness.watch([url, server.emulatorUrl]));

const HOST = "https://app.contoso.example";
const MAIL = { to: "megan@contoso.example", subject: "Marker subject osprey 31aa", body: "Marker body osprey 77de" };
const WORDS = [MAIL.subject, MAIL.body, "Marker query osprey 5b0c", "marker-heron-5d1f"];
const headers = { "cf-access-jwt-assertion": await emulator.accessJwt({ email: ADELE }) };
/** The limits count by network, and each flow is to meet only those that it is about. */
let lastNetwork = 0;
const network = () => ({ "cf-connecting-ip": `192.0.2.${(lastNetwork += 1)}` });
const ways = () => {
  const from = network();
  return { headers: { ...headers, ...from }, apiHeaders: from };
};
const operate = (method, path, key = secrets.OPERATOR_KEY, body = undefined) =>
  fetch(`${url}/operator/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...network() },
    body: body && JSON.stringify(body),
  });

/** One client's key, and assertions by it. */
function signer() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const assertion = (client) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: client, sub: client, aud: `${url}/token`, jti: randomUUID(), iat: now, exp: now + 60 };
    const signed = `${part({ alg: "ES256", kid: "k" })}.${part(claims)}`;
    const signature = sign("sha256", signed, { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
    return { client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", client_assertion: `${signed}.${signature}` };
  };
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "ES256" }, assertion };
}

/** From a client's link to its code. */
async function codeOf(clientId) {
  const { verifier, challenge } = pkce();
  const end = await walk(authorizeUrl(url, { clientId, challenge }), { browser: new Browser(ways().headers) });
  return { clientId, redirectUri: REDIRECT_URI, verifier, code: end.searchParams.get("code") };
}

const FLOWS = {
  "mail is read, searched and sent, and a call is refused": async () => {
    const session = await Session.open(url, (await signIn(url, ways())).access);
    await session.call("getEmails", { count: 5 });
    await session.raw("searchEmails", { query: WORDS[2] });
    await session.call("sendEmail", { ...MAIL, idempotencyKey: random(12) });
    await session.failure("sendEmail", { ...MAIL, to: 7 });
    await session.raw("sendEmail", { ...MAIL, [WORDS[0]]: WORDS[1] });
  },
  "a call beyond the sign-in, and the wider sign-in": async () => {
    const session = await Session.open(url, (await signIn(url, { ...ways(), scope: "User.Read Mail.Read" })).access);
    assert.equal((await session.raw("sendEmail", MAIL)).status, 403);
    const wide = await signIn(url, { ...ways(), scope: "User.Read Mail.Read Mail.ReadWrite Mail.Send" });
    await (await Session.open(url, wide.access)).call("sendEmail", MAIL);
  },
  "the account page, and an app ended there": async () => {
    const browser = new Browser(ways().headers);
    await signIn(url, ways());
    const accounts = await browser.press(await browser.visit(`${url}/account`), /Sign in with Microsoft/);
    const account = await browser.press(accounts, new RegExp(ADELE));
    const ended = await browser.press(account, /End access/);
    assert.equal(ended.response.status, 200, ended.html);
    await browser.visit(`${url}/callback?code=${random()}&state=m365u.${random()}.${random()}`);
  },
  "an administrator consents, and another does not": async () => {
    for (const button of [/accept/i, DENY]) {
      const browser = new Browser(ways().headers);
      const end = await browser.press(await browser.visit(`${url}/admin-consent`), button);
      assert.equal(end.response.status, 200, end.html);
    }
  },
  "Graph challenges, and Entra answers without the user": async () => {
    const session = await Session.open(url, (await signIn(url, ways())).access);
    await emulator.fault("graph", "401-claims", { times: 1 });
    await session.call("getEmails", { count: 1 });
  },
  "an operator lists and ends grants, and a guess is refused": async () => {
    await signIn(url, ways());
    const user = encodeURIComponent(userIdOf(ADELE));
    assert.equal((await operate("GET", `grants?user=${user}`)).status, 200);
    assert.equal((await operate("GET", `grants?user=${user}`, random())).status, 401);
    assert.equal((await operate("DELETE", `grants?user=${user}`)).status, 200);
  },
  "an operator's client by Basic, with a wrong secret, and by a new one": async () => {
    const client = await (await operate("POST", "clients", undefined, { client_name: "Portal", redirect_uris: [REDIRECT_URI] })).json();
    const basic = (secret) => ({ authorization: `Basic ${btoa(`${client.client_id}:${secret}`)}`, ...network() });
    const flow = await codeOf(client.client_id);
    assert.equal((await token(url, redemption(flow), basic(random()))).status, 401);
    assert.equal((await token(url, redemption(flow), basic(client.client_secret))).status, 200);
    assert.equal((await operate("POST", `clients/rotate-secret?client_id=${client.client_id}`)).status, 200);
  },
  "a client by its document, that signs assertions": async () => {
    const [key, id] = [signer(), `${HOST}/watched.json`];
    const document = { client_id: id, client_name: "Watched", redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: "private_key_jwt" };
    await emulator.publish("/watched.json", { ...document, jwks: { keys: [key.jwk] } });
    const flow = await codeOf(id);
    assert.equal((await token(url, { ...redemption(flow), ...signer().assertion(id) }, network())).status, 401);
    const { status, body } = await token(url, { ...redemption(flow), ...key.assertion(id) }, network());
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal((await token(url, { ...refreshing(flow, body.refresh_token), ...key.assertion(id) }, network())).status, 200);
    await new Browser(ways().headers).visit(authorizeUrl(url, { clientId: `${HOST}/none.json`, challenge: pkce().challenge }));
  },
  "denials, and every way in which a sign-in fails": async () => {
    const denied = await atConsent(url, ways());
    await denied.browser.press(denied.consent, DENY, { stop: (at) => at.port === "43110" });
    await postConsent(denied);
    for (const fault of ["invalid_grant", "interaction_required", "invalid_client", "temporarily_unavailable", "bad-nonce", "bad-signature"]) {
      const flow = await beforeCallback(url, ways());
      await emulator.fault("entra", fault, { times: Infinity });
      await flow.browser.visit(flow.callback, { stop: (at) => at.port === "43110" });
      await emulator.clearFaults();
    }
    const browser = new Browser(ways().headers);
    const { client_id: clientId } = await register(url, { headers: network() });
    const asked = (change) => browser.visit(authorizeUrl(url, { clientId, challenge: pkce().challenge, ...change }), { stop: (at) => at.port === "43110" });
    for (const change of [{ clientId: random() }, { redirectUri: "https://evil.example/cb" }, { scope: "Everything.All" }, { resource: "/other" }]) await asked(change);
    const cancelled = await approve(browser, await openConsent(browser, authorizeUrl(url, { clientId, challenge: pkce().challenge })));
    await chooseAccount(browser, cancelled, "cancel");
    await browser.visit(`${url}/callback?code=${random()}&state=${random()}`);
  },
  "replays, foreign verifiers, unknown tokens and a token in the query": async () => {
    const flow = await untilCode(url, ways());
    await token(url, { ...redemption(flow), code_verifier: random() }, network());
    const { body } = await token(url, redemption(flow), network());
    await fetch(`${url}/mcp?access_token=${body.access_token}`, { method: "POST", headers: network(), body: "{}" });
    await post(url, { token: `${body.access_token}x`, headers: network(), body: initialize() });
    await token(url, redemption(flow), network());
    await token(url, refreshing(flow, body.refresh_token), network());
    await token(url, refreshing(flow, `m365r.${random()}`), network());
    await revoke(url, flow, `m365r.${random()}`);
    await post(url, { token: body.access_token, headers: network(), body: initialize() });
  },
  "somebody who guesses until it is slowed down": async () => {
    const from = network();
    const guess = () => token(url, { grant_type: "refresh_token", client_id: "A".repeat(22), refresh_token: `m365r.${random()}` }, from);
    for (let asked = 0; asked <= 20; asked += 1) if ((await guess()).status === 429) return;
    assert.fail("nobody was slowed down");
  },
  "a Microsoft token that expired, and one that was revoked": async () => {
    const session = await Session.open(url, (await signIn(url, ways())).access);
    await emulator.expireMicrosoftTokens();
    await session.call("getEmails", { count: 1 });
    await emulator.revokeMicrosoftTokens();
    await emulator.expireMicrosoftTokens();
    await session.raw("getEmails", { count: 1 });
  },
};

for (const [what, flow] of Object.entries(FLOWS)) test(what, flow);

const logs = async () => ({
  "log lines": Buffer.from(server.logs().map(({ message }) => message).join("\n")),
  "gateway log": Buffer.from(JSON.stringify(await emulator.gatewayLogs())),
});

function assertNowhere(place, bytes, all) {
  for (const [value, what] of all) {
    for (const form of variants(value)) assert.ok(!findIn(bytes, form), `a ${what} (${value.slice(0, 12)}…) in ${place}`);
  }
}

test("of all that was seen nothing is in a log or stored, and after every grant has ended neither", async (t) => {
  await event(server, "http.request");
  const seen = [...witness.secrets, ...Object.entries(secrets).map(([name, value]) => [value, name]), ...WORDS.map((word) => [word, "mail text"])];
  const kinds = new Map();
  for (const [, what] of seen) kinds.set(what, (kinds.get(what) ?? 0) + 1);
  t.diagnostic([...kinds].map(([what, count]) => `${what}: ${count}`).join(", "));
  for (const what of ["cookie", "authorization", "assertion", "code", "code_verifier", "access_token", "refresh_token", "client_secret", "client_assertion"]) {
    assert.ok(kinds.has(what), `the flows met no ${what}`);
  }
  const places = await logs();
  for (const [place, bytes] of Object.entries(places)) assertNowhere(place, bytes, [...seen, ...witness.transient]);
  assert.ok(findIn(places["log lines"], userIdOf(ADELE)), "the search finds what is meant to be there");
  const stored = storedBytes(persist);
  assertNowhere("KV and objects", stored, seen);
  assert.ok(findIn(stored, userIdOf(ADELE)));

  assert.equal((await operate("DELETE", `grants?user=${encodeURIComponent(userIdOf(ADELE))}`)).status, 200);
  assertNowhere("KV and objects after the end", storedBytes(persist), seen);
  for (const [place, bytes] of Object.entries(await logs())) assertNowhere(place, bytes, [...seen, ...witness.transient]);
});
