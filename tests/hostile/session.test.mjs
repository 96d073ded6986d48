// Strangers at the MCP endpoints: foreign sessions, forged tokens, callers without a sign-in, and bodies that no client
// would send. Nothing of it may reach Graph.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import test from "node:test";
import { Session, initialize, open, openStream, post, request } from "../runtime/support/mcp.mjs";
import { ADELE, ALEX, random, revoke, signIn } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";

const server = await serve();
const { emulator, url } = server;
const [adele, adeleElsewhere, alex] = await Promise.all([
  signIn(url, { user: ADELE }),
  signIn(url, { user: ADELE }),
  signIn(url, { user: ALEX }),
]);
const MAIL = { to: "megan@contoso.example", subject: `hostile ${random(8)}`, body: "x" };
const SEND = request("tools/call", { name: "sendEmail", arguments: MAIL });
const MIB = 1024 * 1024;

/** Runs `work` and asserts that Graph saw nothing of it. */
async function unseenByGraph(work) {
  const { result, calls } = await emulator.graphCallsDuring(work);
  assert.deepEqual(calls, []);
  return result;
}

function assertChallenged({ status, headers, text }, error) {
  assert.equal(status, 401, text);
  const challenge = headers.get("www-authenticate");
  assert.match(challenge, /^Bearer /);
  assert.ok(challenge.includes(`resource_metadata="${url}/.well-known/oauth-protected-resource/`), challenge);
  assert.equal(challenge.includes("error="), Boolean(error), challenge);
  if (error) assert.ok(challenge.includes(`error="${error}"`), challenge);
}

test("another user's token on a session is refused and nothing is executed", async () => {
  const session = await open(url, adele.access);
  for (const [who, { access }] of Object.entries({ "another user": alex, "the same user by another grant": adeleElsewhere })) {
    const answer = await unseenByGraph(() => post(url, { token: access, session, body: SEND }));
    assert.equal(answer.status, 404, who);
  }
  assert.equal((await post(url, { token: adele.access, session, body: request("ping") })).status, 200);
});

test("a session is forged by nobody and ends with its DELETE", async () => {
  const session = await open(url, adele.access);
  for (const forged of [`${session}A`, session.slice(0, -2), "x", random()]) {
    const answer = await unseenByGraph(() => post(url, { token: adele.access, session: forged, body: SEND }));
    assert.equal(answer.status, 404, forged);
  }
  const ended = await fetch(`${url}/mcp`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${adele.access}`, "mcp-session-id": session },
  });
  assert.ok(ended.ok, String(ended.status));
  assert.equal((await unseenByGraph(() => post(url, { token: adele.access, session, body: SEND }))).status, 404);
});

test("another user's token on the message endpoint of an SSE session is refused", async (t) => {
  const { path, close } = await openStream(url, adele.access);
  t.after(close);
  assert.match(path, /^\/sse\/message\?sessionId=/);
  const answer = await unseenByGraph(() => post(url, { path, token: alex.access, body: SEND }));
  assert.equal(answer.status, 404);
});

test("a call without a token is challenged without an error, by every endpoint", async () => {
  for (const path of ["/mcp", "/sse"]) assertChallenged(await post(url, { path, body: initialize() }));
  assertChallenged(await post(url, { path: `/mcp?access_token=${adele.access}`, body: initialize() }));
  assertChallenged(await post(url, { body: initialize(), headers: { authorization: `Basic ${btoa(`x:${adele.access}`)}` } }));
  const stream = await fetch(`${url}/sse`, { headers: { accept: "text/event-stream" } });
  assertChallenged({ status: stream.status, headers: stream.headers, text: await stream.text() });
});

test("forged, foreign-kind and revoked tokens are invalid", async () => {
  const gone = await signIn(url, { user: ALEX });
  const session = await open(url, gone.access);
  await revoke(url, gone, gone.access);
  const [head, secret] = [adele.access.slice(0, adele.access.lastIndexOf(".")), adele.access.split(".").at(-1)];
  const flipped = `${head}.${secret.startsWith("A") ? "B" : "A"}${secret.slice(1)}`;
  const unsigned = `${head}.${random(68)}`;
  for (const token of [flipped, unsigned, adele.refresh, "m365a.x", gone.access]) {
    assertChallenged(await unseenByGraph(() => post(url, { token, body: initialize() })), "invalid_token");
  }
  assertChallenged(await unseenByGraph(() => post(url, { token: gone.access, session, body: SEND })), "invalid_token");
});

test("revoking the refresh token ends the grant for calls that are under way", async () => {
  const gone = await signIn(url, { user: ALEX });
  const session = await Session.open(url, gone.access);
  await session.call("getEmails", { count: 1 });
  await revoke(url, gone, gone.refresh);
  assertChallenged(await unseenByGraph(() => session.raw("sendEmail", MAIL)), "invalid_token");
});

test("a foreign bearer may initialise and list, but call and read nothing", async () => {
  const token = "sk-some-api-token";
  const session = await open(url, token);
  const ask = (method, params) => unseenByGraph(() => post(url, { token, session, body: request(method, params) }));
  assert.equal((await ask("tools/list")).message.result.tools[0].name, "authenticate");
  assert.equal((await ask("resources/list")).message.result.resources.length, 3);
  assertChallenged(await ask("tools/call", { name: "getEmails", arguments: {} }), "invalid_token");
  assertChallenged(await ask("resources/read", { uri: "microsoft://profile" }), "invalid_token");
});

test("a page of another site cannot talk to the endpoints", async () => {
  const headers = { origin: "https://evil.example" };
  const answer = await unseenByGraph(() => post(url, { token: adele.access, body: initialize(), headers }));
  assert.equal(answer.status, 403);
});

/** Announces a body and sends none of it: a refusal waits a second for what it would drop, and no longer. */
function announce(path, length) {
  return new Promise((resolve, reject) => {
    const headers = { "content-length": length, "content-type": "application/json", authorization: `Bearer ${adele.access}` };
    const asked = httpRequest(url + path, { method: "POST", headers });
    asked.once("response", (response) => resolve(response.statusCode) || asked.destroy()).once("error", reject);
    asked.flushHeaders();
  });
}

/** Sends a body of unannounced length. */
async function stream(path, length) {
  const body = new Blob(["x".repeat(length)]).stream();
  const headers = { "content-type": "application/json", authorization: `Bearer ${adele.access}` };
  return (await fetch(url + path, { method: "POST", headers, body, duplex: "half" })).status;
}

test("a body over the limit is refused with 413, announced or not", async () => {
  const limits = { "/mcp": 4 * MIB, "/sse/message": 4 * MIB, "/register": MIB / 64, "/token": MIB / 64, "/revoke": MIB / 64 };
  for (const [path, limit] of Object.entries(limits)) {
    assert.equal(await announce(path, limit + 1), 413, path);
    // One byte over, so that nothing is left unread when the connection closes.
    assert.equal(await stream(path, limit + 1), 413, path);
    assert.notEqual(await stream(path, limit), 413, path);
  }
});

test("malformed JSON, an unknown method and an unknown tool get their JSON-RPC errors", async () => {
  const session = await open(url, adele.access);
  const ask = (body) => unseenByGraph(() => post(url, { token: adele.access, session, body }));
  const malformed = await ask('{"jsonrpc":"2.0","id":1,');
  assert.deepEqual([malformed.status, malformed.message.error.code], [400, -32700]);
  assert.equal((await ask("[]")).status, 400);
  assert.equal((await ask("null")).status, 400);
  assert.equal((await ask(request("tools/destroy"))).message.error.code, -32601);
  assert.equal((await ask(request("tools/call", { name: "dropMailbox" }))).message.error.code, -32602);
  assert.equal((await ask(`${"[".repeat(100_000)}`)).status, 400);
});

test("a wrong argument is a tool error that names the field", async () => {
  const session = await Session.open(url, adele.access);
  const wrong = {
    count: ["getEmails", { count: "many" }],
    subject: ["sendEmail", { to: "megan@contoso.example", body: "x" }],
    to: ["sendEmail", { ...MAIL, to: 7 }],
    contentType: ["sendEmail", { ...MAIL, contentType: "rtf" }],
  };
  for (const [field, [tool, args]] of Object.entries(wrong)) {
    const { source, code, message } = await unseenByGraph(() => session.failure(tool, args));
    assert.deepEqual([source, code], ["arguments", "invalidArgument"]);
    assert.ok(message.includes(field), message);
  }
});

test("metadata names this server by its configured address, whatever the Host says", async () => {
  const response = await fetch(`${url}/.well-known/oauth-authorization-server`, { headers: { "x-forwarded-host": "evil.example" } });
  const metadata = await response.json();
  assert.equal(metadata.issuer, url);
  assert.deepEqual(metadata.code_challenge_methods_supported, ["S256"]);
  for (const resource of ["/mcp", "/sse"]) {
    const document = await (await fetch(`${url}/.well-known/oauth-protected-resource${resource}`)).json();
    assert.equal(document.resource, url + resource);
    assert.deepEqual(document.authorization_servers, [url]);
  }
});
