// The published TypeScript SDK 2 in each of its ways to agree on a revision, on both URLs: sign-in, list, call, paging.
import assert from "node:assert/strict";
import test from "node:test";
import { Client, SSEClientTransport, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { items, parsed } from "./support/mcp.mjs";
import { ADELE, walk } from "./support/oauth.mjs";
import { Keeper } from "./support/sdk.mjs";
import { serve } from "./support/server.mjs";

const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";
const PAGE = 10;

const { url } = await serve();

const streamable = (path) => (options) => new StreamableHTTPClientTransport(new URL(url + path), options);
const eventStream = (options) => new SSEClientTransport(new URL(`${url}/sse`), options);

/** What TECHNICAL.md's table says: way to negotiate, URL, the revision that comes of it. */
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

const newClient = (mode) =>
  new Client({ name: "runtime-test", version: "1.0.0" }, mode ? { versionNegotiation: { mode } } : {});

/** SDK 2 also wants to find again which authorization server it was sent to. */
class Keeper2 extends Keeper {
  saveDiscoveryState(state) {
    this.discovery = state;
  }
  discoveryState() {
    return this.discovery;
  }
}

/** Refused first, signed in through the browser, connected. */
async function connect(makeTransport, mode) {
  const keeper = new Keeper2();
  const refused = makeTransport({ authProvider: keeper });
  await assert.rejects(newClient(mode).connect(refused), UnauthorizedError);
  const end = await walk(keeper.address.href, { user: ADELE });
  await refused.finishAuth(end.searchParams);
  await refused.close();
  const client = newClient(mode);
  await client.connect(makeTransport({ authProvider: keeper }));
  return client;
}

for (const [name, makeTransport, mode, revision] of WAYS) {
  test(`${name}: a client signs in, agrees on ${revision}, lists, reads and pages`, async (t) => {
    const client = await connect(makeTransport, mode);
    t.after(() => client.close());
    const call = async (args) => parsed(await client.callTool({ name: "getEmails", arguments: args }));

    assert.equal(client.getNegotiatedProtocolVersion(), revision);
    assert.equal(client.getServerVersion().name, "m365-mcp");
    assert.equal((await client.listTools()).tools[0].name, "authenticate");
    assert.equal((await client.listResources()).resources.length, 3);
    const { contents } = await client.readResource({ uri: "microsoft://profile" });
    assert.equal(JSON.parse(contents[0].text).mail, ADELE);

    const first = await call({ count: PAGE });
    const second = await call({ count: PAGE, cursor: first.nextCursor });
    const ids = [...items(first), ...items(second)].map((mail) => mail.id);
    assert.equal(new Set(ids).size, 2 * PAGE, "no mail comes twice");
  });
}
