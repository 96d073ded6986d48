// Calls that ask their clients, tell them things and are taken back, by the published SDKs in every revision, against
// the build with the conformance suite's fixtures. What no SDK shows is sent by hand.
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { describe } from "node:test";
import { Client as Client2, StreamableHTTPClientTransport as Streamable2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { open, post } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";
import { EventStream } from "./support/streams.mjs";
import { until } from "./support/until.mjs";

const MODERN = "2026-07-28";

/** Closes the connection of a request as Cloudflare's edge tells of it. Locally, nothing but a failed write does. */
const LEAVING = `
import Inner, { MicrosoftMcpAgent } from "./index.js";
export { MicrosoftMcpAgent };
export default class extends Inner {
  fetch(request) {
    const after = request.headers.get("x-leave-after");
    if (after === null) return super.fetch(request);
    const left = new AbortController();
    setTimeout(() => left.abort(), Number(after));
    return super.fetch(new Request(request, { signal: left.signal }));
  }
}`;
const leaving = (options) => ({
  ...options,
  modules: [{ type: "ESModule", path: join(options.modulesRoot, "leaving.js"), contents: LEAVING }, ...options.modules],
});

const server = await serve({ build: "conformance", alter: leaving });
const { url, emulator } = server;
const { access } = await signIn(url);
const requestInit = { headers: { authorization: `Bearer ${access}` } };

const IMPLEMENTATION = { name: "runtime-test", version: "1.0.0" };
const CAPABILITIES = { capabilities: { elicitation: {} } };

/** A client of SDK 1; `asked` are the questions that it was asked. */
async function connect1(transport) {
  const client = new Client(IMPLEMENTATION, CAPABILITIES);
  const asked = [];
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked.push(params.message);
    return { action: "accept", content: { username: "adele", email: "adele@contoso.example" } };
  });
  await client.connect(transport);
  return { client, asked };
}

/** A client of SDK 2 in one of its ways to agree on a revision. */
async function connect2(mode) {
  const client = new Client2(IMPLEMENTATION, { ...CAPABILITIES, ...(mode ? { versionNegotiation: { mode } } : {}) });
  const asked = [];
  client.setRequestHandler("elicitation/create", ({ params }) => {
    asked.push(params.message);
    return { action: "accept", content: { username: "adele", email: "adele@contoso.example" } };
  });
  await client.connect(new Streamable2(new URL(`${url}/mcp`), { requestInit }));
  return { client, asked };
}

/** Graph has begun to be slow: the fault that was ordered is used up. */
const atGraph = () => until("the call at Graph", async () => (await emulator.ask("GET", "/faults")).length === 0);

/** A stateless client takes a call back by closing its connection: see below for what comes of it. */
const CLIENTS = {
  "SDK 1, Streamable HTTP": () => connect1(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit })),
  "SDK 1, HTTP+SSE": () => connect1(new SSEClientTransport(new URL(`${url}/sse`), { requestInit })),
  "SDK 2, legacy": () => connect2(),
  "SDK 2, stateless": () => connect2({ pin: MODERN }),
};

for (const [name, start] of Object.entries(CLIENTS)) {
  describe(name, () => {
    test("is asked in mid-call, and the answer has its answer in it", async (t) => {
      const { client, asked } = await start();
      t.after(() => client.close());
      const result = await client.callTool({ name: "test_elicitation", arguments: { message: "Who are you?" } });
      assert.deepEqual(asked, ["Who are you?"]);
      assert.match(result.content[0].text, /action=accept.*adele@contoso\.example/);
    });

    test("hears of progress before the answer", async (t) => {
      const { client } = await start();
      t.after(() => client.close());
      const heard = [];
      const onprogress = ({ progress }) => heard.push(progress);
      const ask = { name: "test_tool_with_progress", arguments: {} };
      await (client instanceof Client ? client.callTool(ask, undefined, { onprogress }) : client.callTool(ask, { onprogress }));
      assert.deepEqual(heard, [0, 50, 100]);
    });

    test("takes a call back, and nobody goes on with it", async (t) => {
      const { client } = await start();
      t.after(() => client.close());
      await emulator.fault("graph", "slow", { delayMs: 4000 });
      t.after(() => emulator.clearFaults());
      const before = server.events("mcp.tool").length;
      const abort = new AbortController();
      const ask = { name: "getEmails", arguments: {} };
      const options = { signal: abort.signal };
      const call = client instanceof Client ? client.callTool(ask, undefined, options) : client.callTool(ask, options);
      await atGraph();
      abort.abort("changed my mind");
      await assert.rejects(call);
      const line = await until("the call's line", () => server.events("mcp.tool").slice(before)[0]);
      if (name !== "SDK 2, stateless") assert.equal(line.reason, "cancelled");
      assert.equal((await client.listTools()).tools.length > 9, true, "the client goes on");
    });
  });
}

const HEADERS = { "mcp-protocol-version": MODERN, "mcp-method": "tools/call" };
const call = (name, args, meta) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    name,
    arguments: args,
    _meta: { "io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}, ...meta },
  },
});

describe("a stateless client that closes its connection ends the call in the object", () => {
  /** Asks for mail that takes long; what the object wrote of it. */
  async function leave(t, meta, { headers = {}, signal, limit }) {
    await emulator.fault("graph", "slow", { delayMs: 20_000 });
    t.after(() => emulator.clearFaults());
    const before = server.events("mcp.tool").length;
    const requests = server.events("ai-gateway-request").length;
    const all = { ...HEADERS, "mcp-name": "getEmails", "content-type": "application/json", accept: "application/json, text/event-stream", authorization: `Bearer ${access}`, ...headers };
    const gone = fetch(`${url}/mcp`, { method: "POST", headers: all, body: JSON.stringify(call("getEmails", {}, meta)), signal })
      .then((response) => response.text())
      .catch((error) => error.name);
    await atGraph();
    const line = () => until("the call's line", () => server.events("mcp.tool").slice(before)[0], limit);
    const held = () => assert.equal(server.events("ai-gateway-request").length, requests, "the object dropped it");
    return { gone, line, held };
  }

  for (const [what, meta] of [["with a JSON answer", {}], ["with a stream", { progressToken: 1 }]]) {
    test(`${what}, as soon as the platform tells`, async (t) => {
      const { line, held } = await leave(t, meta, { headers: { "x-leave-after": "1000" }, limit: 8000 });
      assert.equal((await line()).reason, "cancelled");
      held();
    });
  }

  test("with a stream, when writing to it has failed", async (t) => {
    const abort = new AbortController();
    const { gone, line, held } = await leave(t, { progressToken: 1 }, { signal: abort.signal, limit: 15_000 });
    abort.abort();
    await gone;
    assert.equal((await line()).reason, "cancelled");
    held();
  });
});

test("a call lets its client's connection go, goes on, and is answered where the client comes back", async () => {
  const session = await open(url, access);
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", authorization: `Bearer ${access}`, "mcp-session-id": session };
  const params = { name: "test_reconnection", arguments: {}, _meta: { progressToken: 1 } };
  const asked = await fetch(`${url}/mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params }) });
  const first = EventStream.of(asked);
  await until("the end of the connection", () => first.ended);
  assert.deepEqual(first.events.map(({ data }) => data), [""], "the priming event and no answer");
  const resumed = await EventStream.open(url, { token: access, session, lastEventId: first.events[0].id });
  assert.equal((await resumed.next("the answer", ({ message }) => message?.id === 7)).message.result.content[0].text, "done");
  await until("the stream's end", () => resumed.ended);
});

test("SDK 1 comes back by itself for the answer of a call that let it go", async (t) => {
  const { client } = await connect1(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  t.after(() => client.close());
  const result = await client.callTool({ name: "test_reconnection", arguments: {} });
  assert.equal(result.content[0].text, "done");
});

test("a call that says nothing on its way is answered with JSON, one that does with a stream that ends", async () => {
  const headers = { ...HEADERS, "mcp-name": "test_tool_with_progress" };
  const quiet = await post(url, { token: access, headers, body: call("test_tool_with_progress", {}) });
  assert.equal(quiet.headers.get("content-type"), "application/json");
  const told = await post(url, { token: access, headers, body: call("test_tool_with_progress", {}, { progressToken: "p" }) });
  assert.equal(told.headers.get("content-type"), "text/event-stream");
  assert.equal(told.headers.get("x-accel-buffering"), "no");
  assert.equal(told.message.result.resultType, "complete");
  assert.equal(told.text.match(/notifications\/progress/g).length, 3);
});

test("an answer from another session of the same user, or to a guessed id, changes nothing", async (t) => {
  const { client, asked } = await connect1(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  t.after(() => client.close());
  // Never answers.
  const questions = [];
  client.setRequestHandler(ElicitRequestSchema, ({ params }, { requestId }) => {
    questions.push({ requestId, params });
    return new Promise(() => {});
  });
  const abort = new AbortController();
  const waiting = client.callTool({ name: "test_elicitation", arguments: { message: "?" } }, undefined, { signal: abort.signal });
  const { requestId } = await until("the question", () => questions[0]);
  const other = await open(url, access);
  for (const id of [requestId, `${requestId}0`, "x.0"]) {
    const body = { jsonrpc: "2.0", id, result: { action: "accept", content: {} } };
    assert.equal((await post(url, { token: access, session: other, body })).status, 202);
  }
  const pending = await Promise.race([waiting.then(() => "answered"), new Promise((resolve) => setImmediate(resolve, "waits"))]);
  assert.equal(pending, "waits");
  abort.abort("enough");
  await assert.rejects(waiting);
  assert.deepEqual(asked, []);
});

test("a stream on which a client only listens ends as soon as the platform tells that it has gone", async () => {
  const session = await open(url, access);
  const headers = { authorization: `Bearer ${access}`, accept: "text/event-stream", "x-leave-after": "500" };
  for (const [path, own] of [["/mcp", { "mcp-session-id": session }], ["/sse", {}]]) {
    const response = await fetch(url + path, { headers: { ...headers, ...own } });
    assert.equal(response.status, 200);
    await response.text();
    const request = response.headers.get("x-request-id");
    const line = await until("its line", () => server.events("mcp.stream").find(({ requestId }) => requestId === request));
    assert.equal(line.route, path.slice(1));
    assert.ok(line.durationMs > 0 && line.grantId, JSON.stringify(line));
  }
});
