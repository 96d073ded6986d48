// Streams in the real runtime: an object that sleeps under an open stream, clients that vanish, and clients that come
// back after the Worker was restarted under them.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import test, { describe } from "node:test";
import { Client as Client2, StreamableHTTPClientTransport as Streamable2, SSEClientTransport as Sse2 } from "@modelcontextprotocol/client";
import { items, open, parsed, post } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { Keeper, TRANSPORTS, connect } from "./support/sdk.mjs";
import { serve } from "./support/server.mjs";
import { EventStream, watched } from "./support/streams.mjs";
import { until } from "./support/until.mjs";

/** workerd forgets an object about ten seconds after it last had something to do. */
const IDLE_MS = 13_000;

/** The Worker notices at the second write after it that a client has gone: two or three keep-alives of twenty seconds. */
const NOTICED_MS = 90_000;

const server = await serve({ alter: watched });
const { url } = server;

describe("an idle stream", { concurrency: true }, () => {
  test("leaves its object asleep, and the next message arrives over it", async () => {
    const { access } = await signIn(url);
    const stream = await EventStream.open(url, { path: "/sse", token: access });
    const { data: path } = await stream.next("the endpoint", ({ event }) => event === "endpoint");
    const ping = async (id) => {
      const body = { jsonrpc: "2.0", id, method: "ping" };
      assert.equal((await post(url, { path, token: access, body })).status, 202);
      return stream.next(`the answer to ${id}`, ({ message }) => message?.id === id);
    };
    await ping("before");
    const woken = await until(
      "the object made anew with the stream's socket in its hands",
      async () => {
        const made = server.events("watch.started").length;
        await pause(IDLE_MS);
        await ping(`after ${made}`);
        return server.events("watch.started").slice(made).find(({ sockets }) => sockets > 0);
      },
      60_000,
    );
    assert.ok(woken && !stream.ended);
    stream.close();
  });

  test("whose client has vanished is closed in the object", async () => {
    const { access } = await signIn(url);
    const session = await open(url, access);
    const stream = await EventStream.open(url, { token: access, session });
    assert.equal(stream.response.status, 200);
    const before = server.events("watch.closed").length;
    stream.close();
    await until("the object learns of it", () => server.events("watch.closed").length > before, NOTICED_MS);
  });
});

test("a session's stream is primed, resumed by its id, and refused by another's", async () => {
  const { access } = await signIn(url);
  const [session, other] = [await open(url, access), await open(url, access)];
  const first = await EventStream.open(url, { token: access, session });
  const primer = await first.next("the priming event", ({ data }) => data === "");
  assert.equal(primer.retry, "2000");
  first.close();
  const again = await EventStream.open(url, { token: access, session, lastEventId: primer.id });
  assert.equal((await again.next("the cursor again", ({ data }) => data === "")).id, primer.id);
  again.close();
  const refused = await EventStream.open(url, { token: access, session: other, lastEventId: primer.id });
  assert.equal(refused.response.status, 400);
  const ended = await fetch(`${url}/mcp`, { method: "DELETE", headers: { authorization: `Bearer ${access}`, "mcp-session-id": session } });
  assert.equal(ended.status, 204);
  const gone = await EventStream.open(url, { token: access, session, lastEventId: primer.id });
  assert.equal(gone.response.status, 404);
});

test("DELETE ends the session's open stream", async () => {
  const { access } = await signIn(url);
  const session = await open(url, access);
  const stream = await EventStream.open(url, { token: access, session });
  await stream.next("the priming event", ({ data }) => data === "");
  await fetch(`${url}/mcp`, { method: "DELETE", headers: { authorization: `Bearer ${access}`, "mcp-session-id": session } });
  await until("the stream's end", () => stream.ended);
});

const mails = async (client) => items(parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } })));
const opened = () => server.events("http.request").filter(({ method, status, route }) => method === "GET" && status === 200 && /mcp|sse/.test(route)).length;

/** A client of SDK 2 with the tokens of one of SDK 1. */
async function connect2(makeTransport) {
  const { keeper, client } = await connect(TRANSPORTS["Streamable HTTP on /mcp"], url);
  await client.close();
  const second = new Client2({ name: "runtime-test", version: "1.0.0" });
  const headers = { authorization: `Bearer ${keeper.kept.access_token}` };
  await second.connect(makeTransport({ requestInit: { headers } }));
  return second;
}

const CLIENTS = {
  ...Object.fromEntries(
    Object.entries(TRANSPORTS).map(([name, makeTransport]) => [`SDK 1, ${name}`, async () => (await connect(makeTransport, url, { keeper: new Keeper() })).client]),
  ),
  "SDK 2, Streamable HTTP on /mcp": () => connect2((options) => new Streamable2(new URL(`${url}/mcp`), options)),
  "SDK 2, HTTP+SSE on /sse": () => connect2((options) => new Sse2(new URL(`${url}/sse`), options)),
};

for (const [name, start] of Object.entries(CLIENTS)) {
  test(`${name}: goes on after the Worker was restarted in mid-session, its stream too`, async (t) => {
    const before = opened();
    const client = await start();
    t.after(() => client.close());
    assert.equal((await mails(client)).length, 1);
    await until("its stream", () => opened() > before);
    const open = opened();
    await server.restartWorker();
    // Until its stream is back an HTTP+SSE client is refused, and never waits for an answer that cannot come.
    await until("an answer", () => mails(client).then(() => true, (error) => !name.includes("HTTP+SSE") && Promise.reject(error)), 30_000);
    await until("its stream again", () => opened() > open, 30_000);
    assert.equal((await mails(client)).length, 1);
    assert.ok((await client.listTools()).tools.length > 8);
  });
}

test("an answer whose connection broke is fetched by a GET, once, by its own session", async () => {
  const { access } = await signIn(url);
  const [session, other] = [await open(url, access), await open(url, access)];
  const params = { name: "getEmails", arguments: { count: 2 }, _meta: { progressToken: "p" } };
  const abort = new AbortController();
  const asked = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${access}`,
      "mcp-session-id": session,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params }),
    signal: abort.signal,
  });
  const primer = await EventStream.of(asked).next("the priming event", ({ data }) => data === "");
  abort.abort();
  const resumed = await EventStream.open(url, { token: access, session, lastEventId: primer.id });
  const answer = await resumed.next("the answer", ({ message }) => message?.id === 7);
  assert.equal(items(parsed(answer.message.result)).length, 2);
  await until("the stream's end", () => resumed.ended);
  const rest = await EventStream.open(url, { token: access, session, lastEventId: answer.id });
  await until("nothing more to say", () => rest.ended);
  assert.deepEqual(rest.events.filter(({ message }) => message), []);
  const foreign = await EventStream.open(url, { token: access, session: other, lastEventId: primer.id });
  assert.equal(foreign.response.status, 400);
});

test("subscriptions/listen is acknowledged and answered, because nothing here changes", async () => {
  const { access } = await signIn(url);
  const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
  const body = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params: { _meta, notifications: { toolsListChanged: true } } };
  const answer = await post(url, { token: access, headers, body });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  assert.match(answer.text, /^event: message\ndata: .*subscriptions\/acknowledged/);
  assert.equal(answer.message.result.resultType, "complete");
});
