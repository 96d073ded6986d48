// KV loses or garbles each kind of its keys in the middle of a flow. It is a cache and a copy: what is lost is fetched or
// answered as lost, what is garbled is never believed, and neither spends a code nor ends a grant.
import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "../runtime/support/browser.mjs";
import { REDIRECT_URI, authorizeUrl, pkce, redemption, refreshing, signIn, token, untilCode, walk } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { beforeCallback, codeFrom, isLive } from "../runtime/support/steps.mjs";

const server = await serve();
const { emulator, url } = server;
const DOCUMENT = "https://app.contoso.example/client.json";
/** What a store could hold by mistake: nothing, no JSON, JSON of another kind, half of what was there. */
const garbage = (real) => ["", "\u0000\uffff", "null", "[]", "{}", '{"keys":[]}', real.slice(0, Math.floor(real.length / 2))];

/** The namespace, by a handle that a restart does not outlive. */
const kv = {
  get: async (key) => (await server.kv()).get(key),
  put: async (key, value) => (await server.kv()).put(key, value),
  delete: async (key) => (await server.kv()).delete(key),
};

const keysOf = async (prefix) => (await (await server.kv()).list({ prefix })).keys.map(({ name }) => name);

/** Runs `work` with the value replaced by each garbled form, then puts back what was there. */
async function garbled(key, work) {
  const real = await kv.get(key);
  for (const value of garbage(real)) {
    await kv.put(key, value);
    await work(JSON.stringify(value));
  }
  await kv.put(key, real);
}

const visit = (clientId) => new Browser().request(authorizeUrl(url, { clientId, challenge: pkce().challenge }));

test("a client that KV lost is unknown, which spends nothing, and is known again when it is back", async () => {
  const flow = await untilCode(url);
  const key = `client:${flow.clientId}`;
  const real = await kv.get(key);
  await kv.delete(key);
  const page = await visit(flow.clientId);
  assert.deepEqual([page.status, page.headers.get("location")], [400, null]);
  const lost = await token(url, redemption(flow));
  assert.deepEqual([lost.status, lost.body.error], [401, "invalid_client"]);
  await kv.put(key, real);
  const { status, body } = await token(url, redemption(flow));
  assert.equal(status, 200);
  await kv.delete(key);
  assert.equal((await token(url, refreshing(flow, body.refresh_token))).body.error, "invalid_client");
  assert.ok(await isLive(url, body.access_token), "tokens in use do not hang on it");
  await kv.put(key, real);
  assert.equal((await token(url, refreshing(flow, body.refresh_token))).status, 200);
});

test("a client that KV garbled is nobody's: 503 everywhere, nothing redirected, nothing spent", async () => {
  const flow = await untilCode(url);
  await garbled(`client:${flow.clientId}`, async (value) => {
    const page = await visit(flow.clientId);
    assert.deepEqual([page.status, page.headers.get("location")], [503, null], value);
    const { status, body } = await token(url, redemption(flow));
    assert.deepEqual([status, body.error], [503, "temporarily_unavailable"], value);
  });
  assert.equal((await token(url, redemption(flow))).status, 200);
});

test("a client's document that KV lost or garbled is fetched again, and only a real one is believed", async () => {
  const sign = async () => {
    const { verifier, challenge } = pkce();
    const end = await walk(authorizeUrl(url, { clientId: DOCUMENT, challenge }));
    return { clientId: DOCUMENT, redirectUri: REDIRECT_URI, verifier, code: end.searchParams.get("code") };
  };
  const fetches = async () => (await emulator.publisherCalls()).length;
  const flow = await sign();
  const [key] = await keysOf("cimd:");
  await kv.delete(key);
  const before = await fetches();
  assert.equal((await token(url, redemption(flow))).status, 200);
  assert.equal((await fetches()) - before, 1);
  await garbled(key, async (value) => {
    const page = await visit(DOCUMENT);
    assert.equal(page.status, 200, value);
    assert.match(await page.text(), /Contoso Inbox/);
  });
  const entry = JSON.parse(await kv.get(key));
  const evil = JSON.parse(entry.body);
  await kv.put(key, JSON.stringify({ ...entry, body: JSON.stringify({ ...evil, client_id: "https://evil.example/client.json", client_name: "Evil" }) }));
  assert.match(await (await visit(DOCUMENT)).text(), /Contoso Inbox/, "another client's document is not this one's");
});

test("key sets that KV lost or garbled between Microsoft's page and the callback are fetched again", async () => {
  await signIn(url);
  const [key] = await keysOf("jwks:");
  const real = await kv.get(key);
  for (const value of [undefined, ...garbage(real)]) {
    const flow = await beforeCallback(url);
    await (value === undefined ? kv.delete(key) : kv.put(key, value));
    // The isolate remembers as well.
    await server.restartWorker();
    assert.ok(await codeFrom(flow), `with ${JSON.stringify(value)}`);
  }
});

test("a listing that KV lost or garbled changes nothing for its grant, and none lives by it", async () => {
  const flow = await signIn(url);
  const grant = flow.access.split(".")[2];
  const key = (await keysOf("grant:")).find((name) => name.endsWith(grant));
  const real = await kv.get(key);
  await kv.delete(key);
  assert.ok(await isLive(url, flow.access));
  await kv.put(key, "null");
  const { status, body } = await token(url, refreshing(flow, flow.refresh));
  assert.equal(status, 200);
  assert.ok(await isLive(url, body.access_token));
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const form = new URLSearchParams({ token: body.refresh_token, client_id: flow.clientId }).toString();
  assert.equal((await fetch(`${url}/revoke`, { method: "POST", headers, body: form })).status, 200);
  await kv.put(key, real);
  assert.equal(await isLive(url, body.access_token), false, "an old listing revives nothing");
  assert.equal((await token(url, refreshing(flow, body.refresh_token))).body.error, "invalid_grant");
});

test("a KV that lost everything in mid-flow costs the client its registration and nobody else anything", async () => {
  const other = await signIn(url);
  const flow = await beforeCallback(url);
  for (const prefix of ["client:", "grant:", "jwks:", "cimd:"]) for (const name of await keysOf(prefix)) await kv.delete(name);
  await server.restartWorker();
  const code = await codeFrom(flow);
  assert.ok(code, "what the person approved needs no KV");
  assert.equal((await token(url, redemption({ ...flow, code }))).body.error, "invalid_client");
  assert.ok(await isLive(url, other.access));
});
