// Who asks too often, and who sends too much: the platform's own limiter, the object that counts a day, real uploads.
import assert from "node:assert/strict";
import test from "node:test";
import { serve } from "./support/server.mjs";

const FORM = "application/x-www-form-urlencoded";
const MIB = 1024 * 1024;

/** Miniflare lets a client say where it comes from; Cloudflare does not. */
const from = (address) => ({ "cf-connecting-ip": address });
const ORIGIN = { origin: "https://client.example" };

const registering = (url, address = "192.0.2.1") =>
  fetch(`${url}/register`, {
    method: "POST",
    headers: { "content-type": "application/json", ...from(address), ...ORIGIN },
    body: JSON.stringify({ redirect_uris: ["http://localhost:43110/callback"], token_endpoint_auth_method: "none" }),
  });

/**
 * Asks until it is slowed down. The limiter's minutes begin on the clock, so one may begin in between: `allowed` always
 * pass, and of two minutes' worth and one more at least one does not.
 */
async function untilSlowed(allowed, ask, expected) {
  for (let asked = 0; asked <= 2 * allowed; asked += 1) {
    const response = await ask();
    if (asked >= allowed && response.status === 429) return response;
    assert.equal(response.status, expected, `request ${asked + 1}: ${await response.text()}`);
  }
  assert.fail(`nobody was slowed down by ${2 * allowed + 1} requests`);
}

async function assertSlowed(response) {
  assert.equal(response.headers.get("retry-after"), "60");
  assert.equal(response.headers.get("access-control-allow-origin"), "https://client.example");
  assert.match(response.headers.get("access-control-expose-headers"), /Retry-After/);
  assert.equal((await response.json()).error, "temporarily_unavailable");
}

test("the limits of wrangler.toml hold in the runtime, for one network at a time", async () => {
  const { url, secrets } = await serve({ rateLimits: true });
  await assertSlowed(await untilSlowed(5, () => registering(url), 201));
  assert.equal((await registering(url, "198.51.100.7")).status, 201);

  const guess = () =>
    fetch(`${url}/token`, {
      method: "POST",
      headers: { "content-type": FORM, ...from("192.0.2.2"), ...ORIGIN },
      body: new URLSearchParams({ grant_type: "refresh_token", client_id: "A".repeat(22), refresh_token: "m365r.x" }),
    });
  await assertSlowed(await untilSlowed(10, guess, 401));

  const bearer = { ...from("192.0.2.3"), authorization: "Bearer m365a.x.y.z" };
  const slowed = await untilSlowed(10, () => fetch(`${url}/mcp`, { method: "POST", headers: bearer, body: "{}" }), 401);
  assert.equal(slowed.headers.get("retry-after"), "60");
  const elsewhere = { ...bearer, ...from("192.0.2.4") };
  assert.equal((await fetch(`${url}/mcp`, { method: "POST", headers: elsewhere, body: "{}" })).status, 401);

  const operate = (address, key) =>
    fetch(`${url}/operator/clients`, { headers: { ...from(address), authorization: `Bearer ${key}` } });
  const guessed = await untilSlowed(10, () => operate("192.0.2.5", "guess"), 401);
  assert.equal(guessed.headers.get("retry-after"), "60");
  assert.equal((await operate("192.0.2.5", secrets.OPERATOR_KEY)).status, 429, "whoever guesses waits");
  assert.equal((await operate("192.0.2.6", secrets.OPERATOR_KEY)).status, 200);
});

test("a deployment without the bindings runs, and says so", async () => {
  const { url } = await serve({ alter: ({ ratelimits: _, ...options }) => options });
  const health = await fetch(`${url}/healthz`);
  const { status, warnings } = await health.json();
  assert.deepEqual([health.status, status], [200, "ok"]);
  const names = ["LIMIT_REGISTER", "LIMIT_AUTHORIZE", "LIMIT_TOKEN", "LIMIT_FAILED_AUTHENTICATION"];
  assert.deepEqual(warnings.map(({ name }) => name), names);
  for (let count = 0; count < 6; count += 1) assert.equal((await registering(url)).status, 201);
});

test("of parallel registrations exactly as many as the day allows succeed, also after a restart", async () => {
  const server = await serve({ vars: { REGISTRATIONS_PER_DAY: "20" } });
  const answers = await Promise.all(Array.from({ length: 100 }, () => registering(server.url)));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([201, 429].map((status) => statuses.filter((one) => one === status).length), [20, 80]);
  await server.restartWorker();
  const refused = await registering(server.url);
  assert.equal(refused.status, 429);
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait > 0 && wait <= 86_400, `${wait} seconds until midnight`);
});

test("a client that is still writing too large a body reads the refusal all the same", async () => {
  const { url } = await serve();
  const upload = (size) =>
    fetch(`${url}/token`, { method: "POST", headers: { "content-type": FORM }, body: "x".repeat(size) });
  for (const size of [17 * 1024, MIB, 3 * MIB]) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => upload(size)));
    for (const answer of answers) assert.equal(answer.status, 413, `${size} bytes`);
  }
});
