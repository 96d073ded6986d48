// Cloudflare Access in front: which assertions let whom in where, by the emulator's signing keys.
import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "./support/browser.mjs";
import { Session, open, post, request } from "./support/mcp.mjs";
import {
  ADELE, ALEX, approve, authorizeUrl, chooseAccountOnly, openConsent, pkce, register, signIn,
} from "./support/oauth.mjs";
import { event, serve } from "./support/server.mjs";

const strict = await serve({ accessMode: "strict" });
const HEADER = "cf-access-jwt-assertion";
const asserted = (jwt) => ({ [HEADER]: jwt });
const landing = (server, headers) => fetch(server.url, { headers });
const GUARDED = ["/", "/authorize", "/callback", "/token", "/register", "/revoke", "/mcp", "/sse", "/sse/message", "/unknown"];
const now = () => Math.floor(Date.now() / 1000);

test("certificates that cannot be had close the door with 503, until they can", async () => {
  await strict.emulator.fault("access", "unreachable", { times: Infinity });
  const jwt = await strict.emulator.accessJwt();
  assert.equal((await landing(strict, asserted(jwt))).status, 503);
  await strict.emulator.clearFaults();
  assert.equal((await landing(strict, asserted(jwt))).status, 200);
});

test("strict: a valid assertion lets in, as the person it names", async () => {
  const response = await landing(strict, asserted(await strict.emulator.accessJwt({ email: ALEX })));
  assert.equal(response.status, 200);
  assert.ok((await response.text()).includes(ALEX));
});

test("strict: without an assertion every path is closed but the public documents and health", async () => {
  for (const path of GUARDED) {
    for (const method of ["GET", "POST"]) {
      const response = await fetch(strict.url + path, { method, redirect: "manual" });
      assert.equal(response.status, 403, `${method} ${path}`);
      assert.equal(response.headers.get("cache-control"), "no-store");
    }
  }
  for (const path of ["/healthz", "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"]) {
    assert.equal((await fetch(strict.url + path)).status, 200, path);
  }
  await event(strict, "access.denied");
});

test("strict: the e-mail header alone means nothing", async () => {
  const headers = { "cf-access-authenticated-user-email": ADELE, cookie: "CF_Authorization=x" };
  assert.equal((await landing(strict, headers)).status, 403);
});

const WRONG = {
  "no algorithm": { alg: "none" },
  "a symmetric algorithm": { alg: "HS256" },
  "another audience": { aud: "b".repeat(64) },
  "no audience": { aud: "" },
  "another issuer": { iss: "https://evil.cloudflareaccess.com" },
  "an issuer that only begins like ours": { iss: "https://contoso.cloudflareaccess.com.evil.example" },
  "an expiry that has passed": { iat: String(now() - 7200), exp: String(now() - 3600) },
  "a time that has not come": { nbf: String(now() + 3600) },
  "the organisation's type": { type: "org" },
  "an unknown key": { kid: "0".repeat(64) },
};
for (const [what, claims] of Object.entries(WRONG)) {
  test(`strict: an assertion with ${what} is refused`, async () => {
    const jwt = await strict.emulator.accessJwt(claims);
    assert.equal((await landing(strict, asserted(jwt))).status, 403);
  });
}

test("strict: an altered or malformed assertion is refused", async () => {
  const jwt = await strict.emulator.accessJwt();
  const [head, body, signature] = jwt.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  const other = Buffer.from(JSON.stringify({ ...claims, email: ALEX })).toString("base64url");
  for (const bogus of [`${head}.${other}.${signature}`, `${head}.${body}.`, `${jwt}.x`, `${jwt}, ${jwt}`, "x", "..", "a.b.c"]) {
    assert.equal((await landing(strict, asserted(bogus))).status, 403, bogus);
  }
});

test("strict: a service token opens no sign-in", async () => {
  const headers = asserted(await strict.emulator.accessJwt({ service: "1" }));
  const owner = asserted(await strict.emulator.accessJwt());
  const { client_id: clientId } = await register(strict.url, { headers: owner });
  const response = await new Browser(headers).request(authorizeUrl(strict.url, { clientId, challenge: pkce().challenge }));
  assert.equal(response.status, 403);
});

test("strict: a whole sign-in works, and the gateway learns who came through Access", async () => {
  const headers = asserted(await strict.emulator.accessJwt({ email: ADELE }));
  const flow = await signIn(strict.url, { headers, apiHeaders: headers });
  const session = await Session.open(strict.url, flow.access, headers);
  await session.call("getEmails", { count: 1 });
  const { metadata } = (await strict.emulator.gatewayLogs()).at(-1);
  const { sub } = JSON.parse(Buffer.from(headers[HEADER].split(".")[1], "base64url").toString());
  assert.equal(metadata.accessSubject, sub);

  const other = asserted(await strict.emulator.accessJwt({ email: ALEX }));
  const { result, calls } = await strict.emulator.graphCallsDuring(() =>
    post(strict.url, { token: flow.access, session: session.id, headers: other, body: request("tools/call", { name: "getEmails", arguments: {} }) }),
  );
  assert.equal(result.status, 403, "another Access identity than the one that consented");
  assert.deepEqual(calls, []);
});

test("strict: another person's Access identity at the callback is refused", async () => {
  const headers = asserted(await strict.emulator.accessJwt({ email: ADELE }));
  const { client_id: clientId } = await register(strict.url, { headers });
  const browser = new Browser(headers);
  const consent = await openConsent(browser, authorizeUrl(strict.url, { clientId, challenge: pkce().challenge }));
  const accounts = await approve(browser, consent);
  const { url: callback } = await chooseAccountOnly(browser, accounts, ADELE);
  browser.headers = asserted(await strict.emulator.accessJwt({ email: ALEX }));
  const response = await browser.request(callback);
  assert.equal(response.status, 403);
  assert.equal(response.headers.get("location"), null);
});

test("strict: keys that rotate are followed at once", async () => {
  const server = await serve({ accessMode: "strict" });
  const before = await server.emulator.accessJwt();
  assert.equal((await landing(server, asserted(before))).status, 200);
  await server.emulator.rotateAccessKeys();
  const after = await server.emulator.accessJwt({ email: ALEX });
  assert.equal((await landing(server, asserted(after))).status, 200, "a new key is fetched");
  assert.equal((await landing(server, asserted(before))).status, 200, "the old one is still published");
});

test("browser: only what a person visits is guarded, and no token exists that was not obtained through it", async () => {
  const server = await serve({ accessMode: "browser" });
  for (const path of ["/", "/authorize", "/callback"]) {
    assert.equal((await fetch(server.url + path, { redirect: "manual" })).status, 403, path);
  }
  const challenged = await post(server.url, { body: request("ping") });
  assert.equal(challenged.status, 401, "a client without a cookie is told where to sign in");
  const headers = asserted(await server.emulator.accessJwt({ email: ADELE }));
  const flow = await signIn(server.url, { headers });
  const session = new Session(server.url, flow.access, await open(server.url, flow.access));
  await session.call("getEmails", { count: 1 });
  const { metadata } = (await server.emulator.gatewayLogs()).at(-1);
  assert.ok(metadata.accessSubject, "the identity of the consent stays with the grant");
});
