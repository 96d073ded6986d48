// A change of the keys while clients hold tokens, sessions and cursors, and one person is at Entra's page.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { Browser } from "./support/browser.mjs";
import { Session, items, openStream, post, request } from "./support/mcp.mjs";
import {
  ADELE,
  REDIRECT_URI,
  approve,
  authorizeUrl,
  chooseAccount,
  openConsent,
  pkce,
  random,
  redemption,
  refreshing,
  register,
  signIn,
  token,
} from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const key = () => randomBytes(32).toString("hex");

test("a new ENCRYPTION_KEY is noticed by nobody, and the old one can go once all have refreshed", async () => {
  const server = await serve();
  const { emulator, secrets, url } = server;
  const old = secrets.ENCRYPTION_KEY;
  const fresh = key();
  const flow = await signIn(url);
  const idle = await signIn(url);
  const session = await Session.open(url, flow.access);
  const { nextCursor } = await session.call("getEmails", { count: 3 });
  const sending = { to: "megan@contoso.example", subject: `Rekey ${random(8)}`, body: "x", idempotencyKey: random(12) };
  await session.call("sendEmail", sending);
  const lost = await token(url, refreshing(flow, flow.refresh));

  const { client_id: clientId } = await register(url);
  const { verifier, challenge } = pkce();
  const browser = new Browser();
  const accounts = await approve(browser, await openConsent(browser, authorizeUrl(url, { clientId, challenge })));

  await server.restartWorker({ ENCRYPTION_KEY: fresh, ENCRYPTION_KEY_PREVIOUS: old });

  const end = await chooseAccount(browser, accounts, ADELE);
  assert.ok(!end.response, "the sign-in that was under way ends at the client");
  const code = end.url.searchParams.get("code");
  assert.equal((await token(url, redemption({ clientId, redirectUri: REDIRECT_URI, verifier, code }))).status, 200);

  assert.equal(items(await session.call("getEmails", { count: 3, cursor: nextCursor })).length, 3);
  await session.call("sendEmail", sending);
  assert.equal((await emulator.sent(ADELE, sending.subject)).length, 1);
  const again = await token(url, refreshing(flow, flow.refresh));
  assert.equal(again.body.refresh_token, lost.body.refresh_token, "the answer that was lost is given again");
  const renewed = await token(url, refreshing(flow, again.body.refresh_token));
  assert.equal(renewed.status, 200);
  const stream = await openStream(url, renewed.body.access_token);
  stream.close();

  await server.restartWorker({ ENCRYPTION_KEY: fresh, ENCRYPTION_KEY_PREVIOUS: undefined });

  const next = await Session.open(url, renewed.body.access_token);
  assert.equal(items(await next.call("getEmails", { count: 3 })).length, 3, "what was renewed needs the old key no more");
  assert.equal((await token(url, refreshing(flow, renewed.body.refresh_token))).status, 200);

  const refused = await post(url, { token: idle.access, body: request("tools/list") });
  assert.equal(refused.status, 401, "what was not renewed signs in again");
  assert.match(refused.headers.get("www-authenticate"), /error="invalid_token"/);
  const refresh = await token(url, refreshing(idle, idle.refresh));
  assert.deepEqual([refresh.status, refresh.body.error], [400, "invalid_grant"]);
  const stale = await post(url, { token: renewed.body.access_token, session: session.id, body: request("tools/list") });
  assert.equal(stale.status, 404, "and a session of the old key is begun anew");
  assert.equal(server.events("internal.error").length, 0);
});

test("the gateway may still present its old key after a change of GRAPH_HANDLER_KEY", async () => {
  const server = await serve();
  const { url } = server;
  const session = await Session.open(url, (await signIn(url)).access);
  const old = server.secrets.GRAPH_HANDLER_KEY;
  await server.restartWorker({ GRAPH_HANDLER_KEY: key(), GRAPH_HANDLER_KEY_PREVIOUS: old });
  assert.equal(items(await session.call("getEmails", { count: 1 })).length, 1);
  await server.restartWorker({ GRAPH_HANDLER_KEY_PREVIOUS: undefined });
  await session.failure("getEmails", { count: 1 });
});

test("new cookie keys cost the consents that are open, and nothing else", async () => {
  const server = await serve();
  const { url } = server;
  const flow = await signIn(url);
  const { client_id: clientId } = await register(url);
  const browser = new Browser();
  const address = authorizeUrl(url, { clientId, challenge: pkce().challenge });
  const accounts = await approve(browser, await openConsent(browser, address));
  const other = new Browser();
  const consent = await openConsent(other, address);
  await server.restartWorker({ COOKIE_ENCRYPTION_KEY: key(), COOKIE_SECRET: key() });
  const end = await chooseAccount(browser, accounts, ADELE);
  assert.equal(end.response?.status, 403, "a page that says to start again, no error of the server's");
  const refused = await other.press(consent, /approve|allow|continue/i);
  assert.equal(refused.response?.status, 403);
  assert.equal((await token(url, refreshing(flow, flow.refresh))).status, 200);
});
