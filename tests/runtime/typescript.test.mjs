// The published TypeScript SDKs, 1 and 2, in each of their ways to agree on a revision, on both URLs.
import assert from "node:assert/strict";
import { Client, SSEClientTransport, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { journeys } from "./support/journey.mjs";
import { ADELE, walk } from "./support/oauth.mjs";
import { Keeper, TRANSPORTS, connect } from "./support/sdk.mjs";
import { revisionOf, revisionsSeen } from "./support/revisions.mjs";
import { serve } from "./support/server.mjs";

const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";

const server = await serve({ alter: revisionsSeen });

const streamable = (path) => (url, options) => new StreamableHTTPClientTransport(new URL(url + path), options);
const eventStream = (url, options) => new SSEClientTransport(new URL(`${url}/sse`), options);

/** What TECHNICAL.md's table says of SDK 2: way to negotiate, URL, the revision that comes of it. */
const WAYS = [
  ["default on /mcp", streamable("/mcp"), undefined, LEGACY],
  ["default on /sse", streamable("/sse"), undefined, LEGACY],
  ["default by HTTP+SSE", eventStream, undefined, LEGACY],
  ["auto on /mcp", streamable("/mcp"), "auto", MODERN],
  ["auto on /sse", streamable("/sse"), "auto", MODERN],
  ["auto by HTTP+SSE", eventStream, "auto", LEGACY],
  ["pinned on /mcp", streamable("/mcp"), { pin: MODERN }, MODERN],
  ["pinned on /sse", streamable("/sse"), { pin: MODERN }, MODERN],
];

/** SDK 2 also wants to find again which authorization server it was sent to. */
class Keeper2 extends Keeper {
  saveDiscoveryState(state) {
    this.discovery = state;
  }
  discoveryState() {
    return this.discovery;
  }
}

const newClient = (mode) =>
  new Client({ name: "runtime-test", version: "1.0.0" }, mode ? { versionNegotiation: { mode } } : {});

/** Refused first, signed in through the browser, connected. */
async function start2(url, makeTransport, mode) {
  const keeper = new Keeper2();
  const refused = makeTransport(url, { authProvider: keeper });
  await assert.rejects(newClient(mode).connect(refused), UnauthorizedError);
  const end = await walk(keeper.address.href, { user: ADELE });
  await refused.finishAuth(end.searchParams);
  await refused.close();
  const client = newClient(mode);
  await client.connect(makeTransport(url, { authProvider: keeper }));
  return connection(client, client.getNegotiatedProtocolVersion(), (ask, options) => client.callTool(ask, options));
}

/** SDK 1 does not say what it agreed on. */
async function start1(url, makeTransport) {
  const { client } = await connect(makeTransport, url);
  await client.listTools();
  return connection(client, revisionOf(server), (ask, options) => client.callTool(ask, undefined, options));
}

const connection = (client, revision, callTool) => ({
  revision,
  tools: async () => (await client.listTools()).tools.map(({ name }) => name),
  call: (name, args, signal) => callTool({ name, arguments: args }, { signal }),
  close: () => client.close(),
});

const loses = (name) => (name.includes("HTTP+SSE") ? { loses: "stream" } : {});

journeys(server, [
  ...Object.entries(TRANSPORTS).map(([name, makeTransport]) => ({
    name: `TypeScript SDK 1, ${name}`,
    revision: LEGACY,
    start: (url) => start1(url, makeTransport),
    ...loses(name),
  })),
  ...WAYS.map(([name, makeTransport, mode, revision]) => ({
    name: `TypeScript SDK 2, ${name}`,
    revision,
    start: (url) => start2(url, makeTransport, mode),
    ...loses(name),
  })),
]);
