// Behind Access in workerd: another person's assertion at each step after the first, service tokens, keys that rotate
// and keys that are withdrawn. What the assertion itself must say is in tests/runtime/access.test.mjs.
import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "../runtime/support/browser.mjs";
import { Session, initialize, post, request } from "../runtime/support/mcp.mjs";
import {
  ADELE, ALEX, APPROVE, authorizeUrl, pkce, redemption, refreshing, register, revoke, signIn, token, untilCode,
} from "../runtime/support/oauth.mjs";
import { event, serve } from "../runtime/support/server.mjs";
import { atConsent, beforeCallback, codeFrom, postConsent, tokenCalls } from "../runtime/support/steps.mjs";

const server = await serve({ accessMode: "strict" });
const { emulator, url } = server;
const asserted = async (claims) => ({ "cf-access-jwt-assertion": await emulator.accessJwt(claims) });
const [adele, alex, robot] = await Promise.all([{ email: ADELE }, { email: ALEX }, { service: "1" }].map(asserted));
const ways = { headers: adele, apiHeaders: adele };
const now = () => Math.floor(Date.now() / 1000);
const enter = async (claims) => (await fetch(url, { headers: await asserted(claims) })).status;

function assertClosed(response, what) {
  assert.deepEqual([response.status, response.headers.get("location")], [403, null], what);
}

test("another person's approval of an open consent page opens nothing, and the right person's still does", async () => {
  const flow = await atConsent(url, ways);
  for (const [who, headers] of Object.entries({ alex, robot })) assertClosed(await postConsent(flow, { headers }), who);
  const opened = await postConsent(flow);
  assert.equal(opened.status, 302);
});

test("another person's callback is refused without asking Entra, and the right person's still counts", async () => {
  const flow = await beforeCallback(url, ways);
  const before = await tokenCalls(emulator);
  for (const [who, headers] of Object.entries({ alex, robot })) assertClosed(await flow.browser.request(flow.callback, { headers }), who);
  assert.equal(await tokenCalls(emulator), before);
  assert.ok(await codeFrom(flow));
});

test("another person can neither refresh nor call with a grant's tokens, and its owner loses nothing by that", async () => {
  const flow = await signIn(url, ways);
  const session = await Session.open(url, flow.access, adele);
  const refreshed = await token(url, refreshing(flow, flow.refresh), alex);
  assert.deepEqual([refreshed.status, refreshed.body.error], [400, "invalid_grant"]);
  const calls = [{ body: initialize() }, { session: session.id, body: request("tools/call", { name: "getEmails", arguments: {} }) }];
  for (const call of calls) {
    const { result, calls } = await emulator.graphCallsDuring(() => post(url, { token: flow.access, headers: alex, ...call }));
    assert.equal(result.status, 403, call.body.method);
    assert.deepEqual(calls, []);
  }
  await session.call("getEmails", { count: 1 });
  const { status, body } = await token(url, refreshing(flow, flow.refresh), adele);
  assert.equal(status, 200, JSON.stringify(body));
});

test("a service token passes nowhere where a person is meant, and health needs none", async () => {
  for (const path of ["/", "/authorize", "/callback", "/account", "/token", "/register", "/revoke", "/mcp", "/sse", "/sse/message"]) {
    for (const method of ["GET", "POST"]) {
      assertClosed(await fetch(url + path, { method, headers: robot, redirect: "manual" }), `${method} ${path}`);
    }
  }
  assert.equal((await fetch(`${url}/healthz`, { headers: robot })).status, 200);
  await event(server, "access.denied", ({ reason }) => reason === "no_person");
});

test("the clocks of Access and of workerd may differ by a minute and no more", async () => {
  const cases = [
    [{ nbf: String(now() + 30) }, 200],
    [{ nbf: String(now() + 90) }, 403],
    [{ exp: String(now() - 30) }, 200],
    [{ exp: String(now() - 90) }, 403],
  ];
  for (const [claims, status] of cases) assert.equal(await enter(claims), status, JSON.stringify(claims));
});

test("made-up key ids fetch the certificates at most once a minute", async (t) => {
  t.after(() => emulator.clearFaults());
  // A new isolate has refetched for nobody yet.
  await server.restartWorker();
  await emulator.fault("access", "unreachable", { times: 10 });
  assert.equal(await enter({ kid: "0".repeat(64) }), 503, "the first is looked for, and nobody answers");
  for (let again = 1; again < 6; again += 1) assert.equal(await enter({ kid: String(again).repeat(64) }), 403);
  const [{ times }] = await emulator.ask("GET", "/faults");
  assert.equal(times, 9, "one fetch");
  assert.equal(await enter({ email: ADELE }), 200, "known keys need none");
});

test("a withdrawn key lets nobody in any more once the certificates were fetched anew", async () => {
  await server.restartWorker();
  const [used, unused] = await Promise.all([asserted({ email: ADELE }), asserted({ email: ALEX })]);
  assert.equal((await fetch(url, { headers: used })).status, 200);
  await emulator.rotateAccessKeys(true);
  assert.equal(await enter({ email: ADELE }), 200, "the new key is followed");
  assertClosed(await fetch(url, { headers: unused }), "the old one's signature");
});

test("browser mode: tokens are used without an assertion, but never with another person's", async () => {
  const open = await serve({ accessMode: "browser" });
  const headers = { "cf-access-jwt-assertion": await open.emulator.accessJwt({ email: ADELE }) };
  const foreign = { "cf-access-jwt-assertion": await open.emulator.accessJwt({ email: ALEX }) };
  const flow = await untilCode(open.url, { headers });
  const { body } = await token(open.url, redemption(flow));
  assert.ok(body.access_token);
  const consent = await atConsent(open.url, { headers });
  assertClosed(await postConsent(consent, { headers: foreign }), "consent");
  assertClosed(await new Browser().request(authorizeUrl(open.url, { clientId: flow.clientId, challenge: pkce().challenge })), "nobody");
  assert.match(consent.consent.html, APPROVE);
  await revoke(open.url, flow, body.refresh_token);
  assert.ok((await register(open.url)).client_id, "clients come without an assertion");
});
