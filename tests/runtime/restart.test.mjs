// A deploy: new workerd, same storage. Nobody has to sign in, initialise or send anything twice.
import assert from "node:assert/strict";
import test from "node:test";
import { Session, items } from "./support/mcp.mjs";
import { ADELE, authorizeUrl, openConsent, pkce, random, refreshing, signIn, token } from "./support/oauth.mjs";
import { Browser } from "./support/browser.mjs";
import { serve } from "./support/server.mjs";

test("tokens, sessions, clients, cursors and idempotency keys survive a restart", async () => {
  const server = await serve();
  const { emulator, url } = server;
  const flow = await signIn(url);
  const session = await Session.open(url, flow.access);
  const { nextCursor } = await session.call("getEmails", { count: 3 });
  const sending = { to: "megan@contoso.example", subject: `Deploy ${random(8)}`, body: "x", idempotencyKey: random(12) };
  await session.call("sendEmail", sending);

  const before = server.workerdPid;
  await server.restartWorker();
  assert.notEqual(server.workerdPid, before);

  assert.equal(items(await session.call("getEmails", { count: 3, cursor: nextCursor })).length, 3);
  await session.call("sendEmail", sending);
  assert.equal((await emulator.sent(ADELE, sending.subject)).length, 1);
  const renewed = await token(url, refreshing(flow, flow.refresh));
  assert.equal(renewed.status, 200);
  const { clientId } = flow;
  await openConsent(new Browser(), authorizeUrl(url, { clientId, challenge: pkce().challenge }));
});
