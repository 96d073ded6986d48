// Microsoft's side misbehaves in the middle of a sign-in: slow, away, answering twice, rotating its keys. Each sign-in
// ends with one answer at the client or on a page of ours, and none leaves a grant that nobody asked for.
import assert from "node:assert/strict";
import test from "node:test";
import { ADELE, REDIRECT_URI, approve, isAt, redemption, signIn, token } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { atConsent, beforeCallback, codeFrom, isLive, tokenCalls } from "../runtime/support/steps.mjs";

const server = await serve();
const { emulator, url } = server;
const AT_TOKEN = { match: { path: "token" } };

/** Where the callback leads the browser. */
const comeBack = ({ browser, callback }) => browser.visit(callback, { stop: isAt(REDIRECT_URI) });

test("a slow Entra is waited for, and a person who reloads meanwhile spoils nothing", async () => {
  const flow = await beforeCallback(url);
  const before = await tokenCalls(emulator);
  await emulator.fault("entra", "slow", { delayMs: 1500, ...AT_TOKEN });
  const answers = await Promise.all([flow, flow].map(({ browser, callback }) => browser.request(callback)));
  const [away, ...more] = answers.map(({ headers }) => headers.get("location")).filter(Boolean);
  assert.deepEqual(more, []);
  assert.equal((await tokenCalls(emulator)) - before, 1);
  const code = new URL(away).searchParams.get("code");
  assert.equal((await token(url, redemption({ ...flow, code }))).status, 200);
});

for (const fault of ["temporarily_unavailable", "unreachable"]) {
  test(`an Entra that is ${fault} is told to the client as passing, and leaves no grant`, async (t) => {
    t.after(() => emulator.clearFaults());
    const standing = await signIn(url);
    const flow = await beforeCallback(url);
    await emulator.fault("entra", fault, { times: Infinity, ...AT_TOKEN });
    const { url: end } = await comeBack(flow);
    assert.equal(end.searchParams.get("error"), "temporarily_unavailable");
    assert.equal(end.searchParams.get("iss"), url);
    assert.equal(end.searchParams.get("code"), null);
    await emulator.clearFaults();
    const again = await flow.browser.request(flow.callback);
    assert.deepEqual([again.status, again.headers.get("location")], [403, null], "the callback was spent");
    assert.ok(await isLive(url, standing.access));
  });
}

test("an Entra that takes longer than ten seconds is given up, and its late answer makes no grant", async (t) => {
  t.after(() => emulator.clearFaults());
  const flow = await beforeCallback(url);
  const signedIn = server.events("oauth.signed_in").length;
  await emulator.fault("entra", "slow", { delayMs: 12_000, times: Infinity, ...AT_TOKEN });
  const { url: end } = await comeBack(flow);
  assert.equal(end.searchParams.get("error"), "temporarily_unavailable");
  assert.equal(server.events("oauth.signed_in").length, signedIn);
});

test("of two answers of Entra's to one sign-in the first counts: a denial after the code, a code after the denial", async () => {
  const flow = await beforeCallback(url);
  const denial = new URL(flow.callback);
  denial.search = new URLSearchParams({ error: "access_denied", state: flow.callback.searchParams.get("state") });
  const headers = { cookie: flow.browser.jar.header(new URL(url)) };
  const { url: end } = await comeBack(flow);
  const late = await flow.browser.request(denial, { headers });
  assert.deepEqual([late.status, late.headers.get("location")], [400, null]);
  const { status, body } = await token(url, redemption({ ...flow, code: end.searchParams.get("code") }));
  assert.equal(status, 200);
  assert.ok(await isLive(url, body.access_token));

  const other = await beforeCallback(url);
  const before = await tokenCalls(emulator);
  const its = { cookie: other.browser.jar.header(new URL(url)) };
  const denied = new URL(other.callback);
  denied.search = new URLSearchParams({ error: "access_denied", state: other.callback.searchParams.get("state") });
  const told = await other.browser.request(denied, { headers: its });
  assert.equal(new URL(told.headers.get("location")).searchParams.get("error"), "access_denied");
  const code = await other.browser.request(other.callback, { headers: its });
  assert.deepEqual([code.status, code.headers.get("location")], [400, null]);
  assert.equal(await tokenCalls(emulator), before);
});

const BROKEN = {
  "a code and an error": [(query) => query.set("error", "access_denied"), "access_denied"],
  "neither a code nor an error": [(query) => query.delete("code"), "server_error"],
};

for (const [what, [change, error]] of Object.entries(BROKEN)) {
  test(`an answer with ${what} signs nobody in, and Entra is not asked`, async () => {
    const flow = await beforeCallback(url);
    const before = await tokenCalls(emulator);
    change(flow.callback.searchParams);
    const { url: end } = await comeBack(flow);
    assert.deepEqual([end.searchParams.get("error"), end.searchParams.get("code")], [error, null]);
    assert.equal(await tokenCalls(emulator), before);
  });
}

for (const [what, drop] of Object.entries({ "beside the old ones": false, "in place of the old ones": true })) {
  test(`keys that Entra publishes ${what} while a person signs in are followed`, async () => {
    await signIn(url);
    const flow = await beforeCallback(url);
    await emulator.ask("POST", "/entra/rotate", { drop });
    // The minute after a refetch would hold back the next: a new isolate has made none.
    await server.restartWorker();
    assert.ok(await codeFrom(flow));
  });
}

test("cancelling at Microsoft after a first approval ends nothing that stands", async () => {
  const standing = await signIn(url, { user: ADELE });
  const consent = await atConsent(url);
  const accounts = await approve(consent.browser, consent.consent);
  const { url: end } = await consent.browser.press(accounts, /cancel/, { stop: isAt(REDIRECT_URI) });
  assert.equal(end.searchParams.get("error"), "access_denied");
  assert.ok(await isLive(url, standing.access));
});
