// What there is beside tools, as the published TypeScript SDKs see it: in a session on each transport, and without one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from "@modelcontextprotocol/client";
import { items, parsed } from "./support/mcp.mjs";
import { TRANSPORTS, connect } from "./support/sdk.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const { url } = await serve();

/** Both SDKs hold a structured answer against the schema of its tool, once they know the list. */
async function seesEverything(client) {
  const { tools } = await client.listTools();
  assert.ok(tools.find(({ name }) => name === "createTeamsMeeting").outputSchema);
  const meeting = { subject: "Sync", startTime: "2026-03-02T09:00:00Z", endTime: "2026-03-02T09:30:00Z" };
  const created = await client.callTool({ name: "createTeamsMeeting", arguments: meeting });
  assert.deepEqual(created.structuredContent, parsed(created));

  const { prompts } = await client.listPrompts();
  assert.deepEqual(prompts.map(({ name }) => name), ["catchUp", "planMyDay", "triageInbox"]);
  const prompt = await client.getPrompt({ name: "planMyDay", arguments: { day: "tomorrow" } });
  assert.match(prompt.messages[0].content.text, /tomorrow/);
  const ref = { type: "ref/prompt", name: "planMyDay" };
  const { completion } = await client.complete({ ref, argument: { name: "day", value: "to" } });
  assert.deepEqual(completion.values, ["today", "tomorrow"]);

  const { resourceTemplates } = await client.listResourceTemplates();
  const [template] = resourceTemplates;
  const [mail] = items(parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } })));
  assert.ok(mail.subject);
  const uri = template.uriTemplate.replace("{id}", encodeURIComponent(mail.id));
  const { contents } = await client.readResource({ uri });
  assert.equal(JSON.parse(contents[0].text).subject, mail.subject);
  await assert.rejects(client.readResource({ uri: template.uriTemplate.replace("{id}", "gone") }), ({ code }) => [-32002, -32602].includes(code));
}

for (const [name, makeTransport] of Object.entries(TRANSPORTS)) {
  test(`${name}: prompts, completion, templates, structured content, and a log on demand`, async (t) => {
    const { client } = await connect(makeTransport, url);
    t.after(() => client.close());
    await seesEverything(client);
    const heard = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params));
    await client.setLoggingLevel("debug");
    await client.callTool({ name: "getEmails", arguments: { count: 1 } });
    const said = await until("a log message", () => heard[0]);
    assert.deepEqual([said.level, said.logger, said.data.route], ["debug", "getEmails", "/me/mailFolders/{id}/messages"]);
  });
}

test("without a session: prompts, completion, templates and structured content", async (t) => {
  const { keeper } = await connect(TRANSPORTS["Streamable HTTP on /mcp"], url);
  const client = new Client2({ name: "runtime-test", version: "1.0.0" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const { access_token } = keeper.tokens();
  const headers = { authorization: `Bearer ${access_token}` };
  await client.connect(new Transport2(new URL(`${url}/mcp`), { requestInit: { headers } }));
  t.after(() => client.close());
  await seesEverything(client);
});
