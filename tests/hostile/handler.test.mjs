// The gateway's handler is reachable by everybody: without its key it does nothing, and with it no more than its
// envelope allows.
import assert from "node:assert/strict";
import test from "node:test";
import { random } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { until } from "../runtime/support/until.mjs";

const server = await serve();
const { emulator, secrets, url } = server;
const ENVELOPE = {
  v: 1,
  requestId: "5f0c1f5e-0000-4000-8000-000000000001",
  method: "GET",
  path: "/v1.0/me/messages",
  headers: { authorization: `Bearer ${random(120)}`, accept: "application/json" },
};

async function handle(envelope, key = secrets.GRAPH_HANDLER_KEY) {
  const before = (await emulator.graphCalls()).length;
  const content = typeof envelope === "string" ? envelope : JSON.stringify(envelope);
  const response = await fetch(`${url}/graph-handler/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model: "microsoft-graph", messages: [{ role: "user", content }], stream: false }),
  });
  const text = await response.text();
  assert.equal((await emulator.graphCalls()).length, before, "Graph was not asked");
  return { status: response.status, text };
}

test("without the gateway's key the handler answers 401 and asks nobody", async () => {
  for (const key of [null, "", "x", random(), secrets.GRAPH_HANDLER_KEY.slice(0, -1), `${secrets.GRAPH_HANDLER_KEY}x`]) {
    assert.equal((await handle(ENVELOPE, key)).status, 401);
  }
});

test("a token that this server did not seal leads nowhere", async () => {
  const { status, text } = await handle(ENVELOPE);
  assert.equal(status, 400);
  assert.ok(!text.includes(ENVELOPE.headers.authorization.slice("Bearer ".length)), "and is not repeated in the answer");
});

test("an envelope that leaves the allowed paths, methods or headers is refused by that rule", async () => {
  const wrong = [
    ["path-not-allowed", { path: "/v1.0/../beta/x" }],
    ["path-not-allowed", { path: "/v1.0/me/%2e%2e/users" }],
    ["path-not-allowed", { path: "//evil.example/v1.0/me" }],
    ["path-not-allowed", { path: "https://evil.example/v1.0/me" }],
    ["path-not-allowed", { path: "/common/oauth2/token" }],
    ["path-not-allowed", { path: "/v1.0/me#x" }],
    ["path-not-allowed", { path: "/v1.0/me\\..\\x" }],
    ["method-not-allowed", { method: "TRACE" }],
    ["method-not-allowed", { method: "GET\r\nX: 1" }],
    ["header-not-allowed", { headers: { ...ENVELOPE.headers, host: "evil.example" } }],
  ];
  for (const [rule, change] of wrong) {
    const before = server.events("graph-handler").length;
    assert.equal((await handle({ ...ENVELOPE, ...change })).status, 400, JSON.stringify(change));
    const [line] = await until("the handler's line", () => {
      const lines = server.events("graph-handler").slice(before);
      return lines.length > 0 && lines;
    });
    assert.equal(line.reason, rule, JSON.stringify(change));
  }
});

test("what is no envelope is refused", async () => {
  for (const content of ["", "x", "[]", "null", "{", '{"v":1}']) assert.equal((await handle(content)).status, 400, content);
});
