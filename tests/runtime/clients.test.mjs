// Clients that did not register themselves: by a document at their id's address, and by the operator. In workerd with
// its real fetch, compatibility flag and WebCrypto; node:crypto signs what a client would.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { ROOT } from "../../scripts/lib/project.mjs";
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

/** `npm run operator -- clients …`, as an operator types it; what it prints. */
const command = (...args) =>
  promisify(execFile)(process.execPath, [join(ROOT, "scripts", "operator.mjs"), "clients", ...args, "--url", url], {
    env: { ...process.env, OPERATOR_KEY: server.secrets.OPERATOR_KEY },
  }).then(({ stdout }) => stdout);

const printed = (text, label) => text.match(new RegExp(`^  ${label} +(\\S+)`, "m"))?.[1];

/** Each way in which an operator's client may prove itself: what the command is told, and the proof. */
const WAYS = {
  client_secret_basic: {
    prove: ({ id, secret }) => [{}, { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` }],
  },
  client_secret_post: { prove: ({ secret }) => [{ client_secret: secret }] },
  private_key_jwt: { key: signer("ES256", "portal"), prove: ({ id, key }) => [key.assertion(id)] },
};

test("an operator registers, lists, rotates and removes a client by command", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "operator-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [method, { key, prove }] of Object.entries(WAYS)) {
    const file = join(folder, "keys.json");
    if (key) await writeFile(file, JSON.stringify({ keys: [key.jwk] }));
    const options = ["--name", `Contoso ${method}`, "--redirect-uri", REDIRECT_URI, "--auth", method];
    const added = await command("add", ...options, ...(key ? ["--jwks", file] : []));
    const client = { key, id: printed(added, "client id"), secret: printed(added, "secret") };
    assert.equal(Boolean(client.secret), !key, added);
    const redeem = (flow, by) => {
      const [form, headers] = prove(by);
      return token(url, { ...redemption(flow), ...form }, headers);
    };
    const flow = await untilCode(client.id);
    const stranger = { ...client, secret: "guess", key: signer("ES256", "portal") };
    assert.equal((await redeem(flow, stranger)).status, 401, method);
    const tokens = await redeem(flow, client);
    assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
    const listed = await command("list");
    assert.ok(listed.includes(client.id) && !listed.includes("secret  "), listed);
    if (key) await assert.rejects(command("rotate-secret", "--client", client.id), /no secret/);
    else await rotated(client, redeem);
    await command("remove", "--client", client.id);
    assert.ok(!(await command("list")).includes(client.id));
    const [form, headers] = prove(client);
    const refresh = { ...refreshing(client.id, tokens.body.refresh_token), ...form };
    assert.equal((await token(url, refresh, headers)).body.error, "invalid_client");
    await assert.rejects(command("show", "--client", client.id), /404.*no such client/s);
    assert.ok(!server.logs().some(({ message }) => client.secret && message.includes(client.secret)), "no secret is logged");
  }
});

async function rotated(client, redeem) {
  const next = { ...client, secret: printed(await command("rotate-secret", "--client", client.id), "secret") };
  const flow = await untilCode(client.id);
  assert.equal((await redeem(flow, client)).status, 401, "the old secret");
  assert.equal((await redeem(flow, next)).status, 200, "the new one");
  Object.assign(client, next);
}

test("what an operator got wrong is said in words", async () => {
  await assert.rejects(command("add", "--redirect-uri", REDIRECT_URI), /client_name is missing/);
  await assert.rejects(command("add", "--name", "x", "--redirect-uri", "http://portal.contoso.example/cb"), /cannot be a redirect URI/);
  await assert.rejects(command("add", "--name", "x", "--redirect-uri", REDIRECT_URI, "--auth", "private_key_jwt"), /jwks or jwks_uri/);
  await assert.rejects(command("show"), /--client is missing/);
});
