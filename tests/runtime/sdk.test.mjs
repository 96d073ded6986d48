// The main job by the published TypeScript SDK, over each transport it has: from a 401 to a mail in Sent Items.
import assert from "node:assert/strict";
import test from "node:test";
import { ADELE, revoke } from "./support/oauth.mjs";
import { items, parsed } from "./support/mcp.mjs";
import { Keeper, TRANSPORTS, connect } from "./support/sdk.mjs";
import { event, serve, userIdOf } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const NINE = [
  "authenticate",
  "createCalendarEvent",
  "createTeamsMeeting",
  "getCalendarEvents",
  "getContacts",
  "getEmails",
  "searchEmails",
  "sendEmail",
  "sendTeamsMessage",
];
const RESOURCES = ["microsoft://calendars", "microsoft://profile", "microsoft://teams"];
const PAGE = 10;

const server = await serve();
const { emulator, url } = server;

for (const [name, makeTransport] of Object.entries(TRANSPORTS)) {
  test(`${name}: a client finds the sign-in, signs in, reads, pages and sends`, async (t) => {
    const { client, keeper } = await connect(makeTransport, url);
    t.after(() => client.close());
    const call = async (tool, args) => parsed(await client.callTool({ name: tool, arguments: args }));

    await t.test("registered once, tokens kept", () => {
      assert.deepEqual(keeper.saved, { tokens: 1, client: 1 });
      assert.match(keeper.kept.access_token, /^m365a\./);
      assert.match(keeper.kept.refresh_token, /^m365r\./);
    });

    await t.test("says who it is and answers ping", async () => {
      assert.equal(client.getServerVersion().name, "m365-mcp");
      assert.ok(client.getServerCapabilities().tools);
      await client.ping();
    });

    await t.test("lists the nine tools", async () => {
      const { tools } = await client.listTools();
      const names = tools.map((tool) => tool.name);
      assert.deepEqual(NINE.filter((name) => !names.includes(name)), []);
      assert.equal(names[0], "authenticate");
      for (const { name, annotations } of tools) {
        assert.equal(typeof (annotations?.readOnlyHint ?? annotations?.destructiveHint), "boolean", name);
      }
    });

    await t.test("lists ten mails, then the next ten by cursor", async () => {
      const first = await call("getEmails", { count: PAGE });
      const second = await call("getEmails", { count: PAGE, cursor: first.nextCursor });
      const ids = [...items(first), ...items(second)].map((mail) => mail.id);
      assert.equal(items(first).length, PAGE);
      assert.equal(items(second).length, PAGE);
      assert.equal(new Set(ids).size, 2 * PAGE, "no mail comes twice");
    });

    await t.test("sends a mail that is in Sent Items exactly once", async () => {
      const subject = `Order by ${name}`;
      await call("sendEmail", { to: "megan@contoso.example", subject, body: "<p>Two pallets, please.</p>" });
      const sent = await until("the mail in Sent Items", async () => {
        const found = await emulator.sent(ADELE, subject);
        return found.length > 0 && found;
      });
      assert.equal(sent.length, 1);
      const newest = await call("getEmails", { folder: "sentitems", count: 5 });
      assert.equal(items(newest).filter((mail) => mail.subject === subject).length, 1);
    });

    await t.test("reads the three resources and lists the prompts", async () => {
      const { resources } = await client.listResources();
      assert.deepEqual(resources.map((resource) => resource.uri).sort(), RESOURCES);
      for (const uri of RESOURCES) {
        const { contents } = await client.readResource({ uri });
        assert.equal(contents[0].uri, uri);
        assert.equal(JSON.parse(contents[0].text).error, undefined, contents[0].text);
      }
      assert.deepEqual((await client.listPrompts()).prompts.map(({ name }) => name), ["catchUp", "planMyDay", "triageInbox"]);
    });

    await t.test("an access token that no longer counts is refreshed by the SDK without the user", async () => {
      const old = keeper.kept.access_token;
      const flow = { clientId: keeper.client.client_id };
      await revoke(url, flow, old);
      const answer = await call("getEmails", { count: 1 });
      assert.equal(items(answer).length, 1);
      assert.notEqual(keeper.kept.access_token, old);
      assert.equal(keeper.saved.tokens, 2, "by one refresh");
    });
  });
}

test("every Graph call is in the gateway's log with whole metadata and without a payload", async () => {
  const keeper = new Keeper();
  const { client } = await connect(TRANSPORTS["Streamable HTTP on /mcp"], url, { keeper });
  const before = (await emulator.gatewayLogs()).length;
  parsed(await client.callTool({ name: "getEmails", arguments: { count: 3 } }));
  await client.readResource({ uri: "microsoft://profile" });
  await client.close();
  const logs = (await emulator.gatewayLogs()).slice(before);
  assert.ok(logs.length >= 2);
  for (const log of logs) {
    assert.equal(log.gateway, "m365-egress-gateway");
    assert.equal(log.metadata.userId, userIdOf(ADELE));
    assert.equal(log.metadata.userEmail, ADELE);
    assert.match(log.metadata.mcpTool, /^(getEmails|resources\/read)$/);
    assert.match(log.metadata.requestId, /^[0-9a-f-]{36}$/);
    assert.equal(log.payload, null);
    assert.equal(log.response, null);
  }
  const { requestId } = logs[0].metadata;
  const line = await event(server, "ai-gateway-request", (entry) => entry.requestId === requestId);
  assert.equal(line.userId, userIdOf(ADELE));
  assert.equal(line.tool, "getEmails");
  const call = (await emulator.graphCalls()).find((seen) => seen.headers["client-request-id"] === requestId);
  assert.ok(call, "Graph's client-request-id is the same");
});

test("the gateway's own log id is logged when it sends one", async () => {
  const { client } = await connect(TRANSPORTS["Streamable HTTP on /mcp"], url);
  await emulator.ask("POST", "/gateway/log-id", { enabled: true });
  try {
    parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } }));
    const { id } = (await emulator.gatewayLogs()).at(-1);
    await event(server, "ai-gateway-request", (entry) => entry.aiGatewayLogId === id);
  } finally {
    await emulator.ask("POST", "/gateway/log-id", { enabled: false });
    await client.close();
  }
});
