// A deploy or a crash between any two steps of a sign-in: a new workerd with the same storage, so every object and every
// memory of the isolate is gone. The person notices nothing, and what counted once counts once.
import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "../runtime/support/browser.mjs";
import { Session, items } from "../runtime/support/mcp.mjs";
import {
  ADELE, REDIRECT_URI, approve, authorizeUrl, chooseAccountOnly, isAt, openConsent, pkce, redemption, refreshing, register, signIn, token,
} from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { atConsent, beforeCallback, codeFrom, isLive, postConsent, tokenCalls } from "../runtime/support/steps.mjs";

const server = await serve();
const { emulator, url } = server;
const restart = () => server.restartWorker();

test("a sign-in goes on through a restart between every two of its steps", async () => {
  const { client_id: clientId } = await register(url);
  await restart();
  const { verifier, challenge } = pkce();
  const browser = new Browser();
  const consent = await openConsent(browser, authorizeUrl(url, { clientId, challenge }));
  await restart();
  const accounts = await approve(browser, consent);
  await restart();
  const { url: callback } = await chooseAccountOnly(browser, accounts, ADELE);
  await restart();
  const end = await browser.visit(callback, { stop: isAt(REDIRECT_URI) });
  await restart();
  const flow = { clientId, verifier, redirectUri: REDIRECT_URI, code: end.url.searchParams.get("code") };
  const first = await token(url, redemption(flow));
  assert.equal(first.status, 200, JSON.stringify(first.body));
  await restart();
  const second = await token(url, refreshing(flow, first.body.refresh_token));
  assert.equal(second.status, 200, JSON.stringify(second.body));
  await restart();
  const session = await Session.open(url, second.body.access_token);
  await restart();
  assert.equal(items(await session.call("getEmails", { count: 1 })).length, 1);
  assert.deepEqual(server.events("internal.error"), []);
});

/** What the browser sends with its next request, to send it again after it was taken back. */
const cookiesOf = ({ browser }) => ({ cookie: browser.jar.header(new URL(url)) });

test("a consent that was given opens one sign-in, also when its form comes again after a restart", async () => {
  const flow = await atConsent(url);
  const headers = cookiesOf(flow);
  assert.equal((await postConsent(flow, { headers })).status, 302);
  await restart();
  const again = await postConsent(flow, { headers });
  assert.deepEqual([again.status, again.headers.get("location")], [409, null]);
});

test("a callback that was answered is refused after a restart, and Entra is not asked again", async () => {
  const flow = await beforeCallback(url);
  const headers = cookiesOf(flow);
  assert.equal((await flow.browser.request(flow.callback, { headers })).status, 302);
  const before = await tokenCalls(emulator);
  await restart();
  const again = await flow.browser.request(flow.callback, { headers });
  assert.deepEqual([again.status, again.headers.get("location")], [400, null]);
  assert.equal(await tokenCalls(emulator), before);
});

test("a code that was redeemed ends its grant when it comes again after a restart", async () => {
  const flow = await beforeCallback(url);
  const code = await codeFrom(flow);
  await restart();
  const { body } = await token(url, redemption({ ...flow, code }));
  await restart();
  const replay = await token(url, redemption({ ...flow, code }));
  assert.deepEqual([replay.status, replay.body.error], [400, "invalid_grant"]);
  assert.equal(await isLive(url, body.access_token), false);
  await restart();
  assert.equal(await isLive(url, body.access_token), false, "and it stays ended");
  assert.equal((await token(url, refreshing(flow, body.refresh_token))).body.error, "invalid_grant");
});

test("the one retry of a refresh and the end of a reused family survive a restart", async () => {
  const flow = await signIn(url);
  const lost = await token(url, refreshing(flow, flow.refresh));
  await restart();
  const again = await token(url, refreshing(flow, flow.refresh));
  assert.deepEqual([again.status, again.body.refresh_token], [200, lost.body.refresh_token]);
  assert.equal((await token(url, refreshing(flow, again.body.refresh_token))).status, 200);
  await restart();
  assert.equal((await token(url, refreshing(flow, flow.refresh))).body.error, "invalid_grant");
  await restart();
  assert.equal((await token(url, refreshing(flow, again.body.refresh_token))).body.error, "invalid_grant");
});
