// A tool that needs more than was asked for at the sign-in: by hand, and by the published TypeScript SDK.
import assert from "node:assert/strict";
import test from "node:test";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Session, openStream, parsed, post, request } from "./support/mcp.mjs";
import { ADELE, random, refreshing, signIn, token, walk } from "./support/oauth.mjs";
import { Keeper, TRANSPORTS } from "./support/sdk.mjs";
import { serve } from "./support/server.mjs";

const NARROW = "User.Read Mail.Read";
const makeTransport = TRANSPORTS["Streamable HTTP on /mcp"];
const { emulator, url } = await serve();
const mail = () => ({ to: "megan@contoso.example", subject: `Step up ${random(8)}`, body: "x" });

/** The scopes that a 403 asks for. */
function challenged(answer) {
  assert.equal(answer.status, 403, answer.text);
  const header = answer.headers.get("www-authenticate");
  assert.match(header, /^Bearer .*error="insufficient_scope"/);
  assert.ok(header.includes(`resource_metadata="${url}/.well-known/oauth-protected-resource/`), header);
  return header.match(/scope="([^"]*)"/)[1];
}

test("a call beyond the sign-in answers 403 with everything that is needed, on each transport", async () => {
  const { access } = await signIn(url, { scope: NARROW });
  const session = await Session.open(url, access);
  const union = "User.Read Mail.Read Mail.ReadWrite Mail.Send";
  assert.equal(challenged(await session.raw("sendEmail", mail())), union);
  assert.equal(challenged(await session.send("resources/read", { uri: "microsoft://teams" })), `${NARROW} Team.ReadBasic.All`);
  const stream = await openStream(url, access);
  const body = request("tools/call", { name: "sendEmail", arguments: mail() });
  const answer = await post(url, { path: stream.path, token: access, body });
  stream.close();
  assert.equal(challenged(answer), union);
  const { lockedTools } = await session.call("authenticate");
  assert.ok(lockedTools.some(({ tool, reason }) => tool === "sendEmail" && reason === "not asked for at the sign-in"));

  const wide = await signIn(url, { scope: union });
  const letter = mail();
  await (await Session.open(url, wide.access)).call("sendEmail", letter);
  assert.equal((await emulator.sent(ADELE, letter.subject)).length, 1);
});

/** An application of the SDK that holds these tokens. */
async function holding(flow, { keepRefresh }) {
  const keeper = new Keeper();
  keeper.client = { client_id: flow.clientId };
  keeper.kept = { access_token: flow.access, token_type: "Bearer", ...(keepRefresh ? { refresh_token: flow.refresh } : {}) };
  const transport = makeTransport(url, { authProvider: keeper });
  const client = new Client({ name: "runtime-test", version: "1.0.0" });
  await client.connect(transport);
  return { keeper, transport, client };
}

test("the SDK goes from the 403 to a sign-in for the union, and its session goes on", async () => {
  const { keeper, transport, client } = await holding(await signIn(url, { scope: NARROW }), { keepRefresh: false });
  const letter = mail();
  await assert.rejects(client.callTool({ name: "sendEmail", arguments: letter }), UnauthorizedError);
  assert.equal(keeper.address.searchParams.get("scope"), "User.Read Mail.Read Mail.ReadWrite Mail.Send");
  const end = await walk(keeper.address.href);
  await transport.finishAuth(end.searchParams.get("code"));
  // The same client goes on with the session of the earlier sign-in.
  parsed(await client.callTool({ name: "sendEmail", arguments: letter }));
  await client.close();
  assert.equal((await emulator.sent(ADELE, letter.subject)).length, 1);
});

// SDK 1.32 refreshes first whenever it holds a refresh token, and a refresh never brings more scopes.
test("the SDK with a refresh token refreshes once, meets the same 403, and stops", async () => {
  const { keeper, client } = await holding(await signIn(url, { scope: NARROW }), { keepRefresh: true });
  const failure = await client.callTool({ name: "sendEmail", arguments: mail() }).catch((error) => error);
  assert.ok(failure instanceof StreamableHTTPError && failure.code === 403, String(failure));
  assert.deepEqual([keeper.saved.tokens, keeper.address], [1, undefined], "no loop, and nobody is sent anywhere");
  parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } }));
  await client.close();
});

test("the SDK mends a narrowed token by a refresh, without its user", async () => {
  const flow = await signIn(url);
  const { body } = await token(url, { ...refreshing(flow, flow.refresh), scope: "User.Read" });
  assert.equal(body.scope, "User.Read");
  const narrowed = { ...flow, access: body.access_token, refresh: body.refresh_token };
  const { keeper, client } = await holding(narrowed, { keepRefresh: true });
  parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } }));
  assert.deepEqual([keeper.saved.tokens, keeper.address], [1, undefined]);
  await client.close();
});
