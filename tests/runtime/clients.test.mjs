// Clients that did not register themselves: by a document at their id's address, and by the operator. In workerd with
// its real fetch, compatibility flag and WebCrypto; node:crypto signs what a client would.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import test from "node:test";
import { ADELE, REDIRECT_URI, authorizeUrl, pkce, redemption, token, walk } from "./support/oauth.mjs";
import { items, parsed } from "./support/mcp.mjs";
import { Keeper, TRANSPORTS, connect } from "./support/sdk.mjs";
import { event, serve } from "./support/server.mjs";

const HOST = "https://app.contoso.example";
const DOCUMENT = `${HOST}/client.json`;
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const server = await serve();
const { emulator, url } = server;

/** A client's key: its public half as a JWK, and assertions by it. */
function signer(alg, kid) {
  const options = alg === "RS256" ? ["rsa", { modulusLength: 2048 }] : ["ec", { namedCurve: "P-256" }];
  const { publicKey, privateKey } = generateKeyPairSync(...options);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const assertion = (client, claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: client, sub: client, aud: `${url}/token`, jti: randomUUID(), iat: now, exp: now + 60, ...claims };
    const signed = `${part({ alg, kid })}.${part(all)}`;
    const signature = sign("sha256", signed, { key: privateKey, dsaEncoding: "ieee-p1363" });
    return { client_assertion_type: ASSERTION_TYPE, client_assertion: `${signed}.${signature.toString("base64url")}` };
  };
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg }, assertion };
}

/** From the client's link to its code. */
async function untilCode(clientId) {
  const { verifier, challenge } = pkce();
  const end = await walk(authorizeUrl(url, { clientId, challenge }), { user: ADELE });
  const code = end.searchParams.get("code");
  assert.ok(code, end.href);
  return { clientId, redirectUri: REDIRECT_URI, verifier, code };
}

const refreshing = (clientId, refresh_token) => ({ grant_type: "refresh_token", client_id: clientId, refresh_token });

/** `/operator/clients`. */
async function operate(method, path, body) {
  const headers = { authorization: `Bearer ${server.secrets.OPERATOR_KEY}`, "content-type": "application/json" };
  const response = await fetch(`${url}/operator/clients${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

test("the TypeScript SDK signs in by its document and registers nowhere", async () => {
  const metadata = await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json();
  assert.equal(metadata.client_id_metadata_document_supported, true);
  const keeper = new Keeper();
  keeper.clientMetadataUrl = DOCUMENT;
  const { client } = await connect(TRANSPORTS["Streamable HTTP on /mcp"], url, { keeper });
  assert.equal(items(parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } }))).length, 1);
  await client.close();
  assert.equal(keeper.client.client_id, DOCUMENT);
  assert.equal(server.events("oauth.registered").length, 0);
  const signedIn = await event(server, "oauth.signed_in", (entry) => entry.clientId === DOCUMENT);
  assert.ok(signedIn.grantId);
  assert.deepEqual(await emulator.publisherCalls(), ["/client.json"], "kept for the token endpoint");
});

test("the consent page names the host that publishes the app", async () => {
  const page = await (await fetch(authorizeUrl(url, { clientId: DOCUMENT, challenge: pkce().challenge }))).text();
  assert.match(page, /<strong>app\.contoso\.example<\/strong>/);
  assert.match(page, /localhost:43110/);
});

test("a document that fails is said on a page, without a redirect", async (t) => {
  t.after(() => emulator.clearFaults());
  await emulator.publish("/faulty.json", { client_id: `${HOST}/faulty.json`, client_name: "x", redirect_uris: [REDIRECT_URI] });
  const ask = async () => {
    const address = authorizeUrl(url, { clientId: `${HOST}/faulty.json`, challenge: pkce().challenge });
    const response = await fetch(address, { redirect: "manual" });
    return { status: response.status, location: response.headers.get("location"), text: await response.text() };
  };
  assert.equal((await ask()).status, 200, "without a fault it is good");
  const said = {
    redirect: /redirects are not followed/,
    404: /status 200/,
    "too-large": /larger than 5 KiB/,
    html: /application\/json/,
    "wrong-id": /client_id is not the address/,
    unreachable: /could not be fetched/,
  };
  for (const [fault, text] of Object.entries(said)) {
    await emulator.fault("publisher", fault);
    const { status, location, text: page } = await ask();
    assert.deepEqual([status, location], [400, null], fault);
    assert.match(page, text, fault);
  }
  await emulator.fault("publisher", "slow", { delayMs: 30_000 });
  assert.match((await ask()).text, /ten seconds/);
  assert.equal((await ask()).status, 200, "no failure was kept");
});

for (const alg of ["RS256", "ES256"]) {
  test(`a client with a document proves itself by ${alg} under a key at its jwks_uri`, async () => {
    const key = signer(alg, "first");
    const id = `${HOST}/${alg}.json`;
    await emulator.publish(`/${alg}-keys.json`, { keys: [key.jwk] });
    await emulator.publish(`/${alg}.json`, {
      client_id: id,
      client_name: `Contoso ${alg}`,
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: "private_key_jwt",
      jwks_uri: `${HOST}/${alg}-keys.json`,
    });
    const flow = await untilCode(id);
    assert.equal((await token(url, redemption(flow))).status, 401, "the code alone is not enough");
    const foreign = signer(alg, "first").assertion(id);
    assert.equal((await token(url, { ...redemption(flow), ...foreign })).body.error, "invalid_client");
    const proof = key.assertion(id);
    const first = await token(url, { ...redemption(flow), ...proof });
    assert.equal(first.status, 200, JSON.stringify(first.body));
    const refresh = refreshing(id, first.body.refresh_token);
    assert.equal((await token(url, { ...refresh, ...proof })).body.error, "invalid_client", "an assertion counts once");
    assert.equal((await token(url, { ...refresh, ...key.assertion(id) })).status, 200);
  });
}

test("of one assertion sent twenty times at once, one counts", async () => {
  const key = signer("ES256", "k");
  const { body: client } = await operate("POST", "", {
    client_name: "Twenty at once",
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [key.jwk] },
  });
  const flow = await untilCode(client.client_id);
  const first = await token(url, { ...redemption(flow), ...key.assertion(client.client_id) });
  const refresh = { ...refreshing(client.client_id, first.body.refresh_token), ...key.assertion(client.client_id) };
  const answers = await Promise.all(Array.from({ length: 20 }, () => token(url, refresh)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.ok(answers.every(({ status, body }) => status === 200 || body.error === "invalid_client"));
});

test("an operator's client signs in, gets a new secret, and is gone when it is removed", async () => {
  const wanted = { client_name: "Contoso Portal", redirect_uris: [REDIRECT_URI] };
  const { status, body: client } = await operate("POST", "", wanted);
  assert.equal(status, 201, JSON.stringify(client));
  const id = client.client_id;
  const basic = (secret) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` });
  const redeem = (flow, secret) => token(url, redemption(flow), basic(secret));
  const flow = await untilCode(id);
  assert.equal((await redeem(flow, "guess")).status, 401);
  assert.equal((await redeem(flow, client.client_secret)).status, 200);
  const { body: rotated } = await operate("POST", `/rotate-secret?client_id=${id}`);
  const next = await untilCode(id);
  assert.equal((await redeem(next, client.client_secret)).status, 401);
  assert.equal((await redeem(next, rotated.client_secret)).status, 200);
  assert.equal((await operate("GET", `?client_id=${id}`)).body.client_secret, undefined);
  assert.equal((await operate("DELETE", `?client_id=${id}`)).status, 200);
  assert.equal((await redeem(next, rotated.client_secret)).status, 401);
  assert.equal((await operate("GET", `?client_id=${id}`)).status, 404);
  assert.ok(!server.logs().some(({ message }) => message.includes(client.client_secret)), "no secret is logged");
});
