// What goes out to other people is asked about by the real clients, and what Sent Items holds after each answer.
import assert from "node:assert/strict";
import test from "node:test";
import { Client as Client2, StreamableHTTPClientTransport as Streamable2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { items, parsed } from "./support/mcp.mjs";
import { ADELE, signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const server = await serve();
const { emulator, url } = server;
const { access } = await signIn(url);
const requestInit = { headers: { authorization: `Bearer ${access}` } };

const IMPLEMENTATION = { name: "runtime-test", version: "1.0.0" };
const YES = { action: "accept", content: { agree: true } };

/** A client of SDK 1; without an answer it is one that cannot be asked. `asked` are the forms it was shown. */
const one = (transport) => async (answer) => {
  const client = new Client(IMPLEMENTATION, answer ? { capabilities: { elicitation: {} } } : {});
  return ready(client, ElicitRequestSchema, answer, transport());
};

/** A client of SDK 2 in one of its ways to agree on a revision. */
const two = (path, mode) => async (answer) => {
  const options = mode ? { versionNegotiation: { mode } } : {};
  const client = new Client2(IMPLEMENTATION, { ...options, ...(answer ? { capabilities: { elicitation: {} } } : {}) });
  return ready(client, "elicitation/create", answer, new Streamable2(new URL(url + path), { requestInit }));
};

async function ready(client, kind, answer, transport) {
  const asked = [];
  if (answer) {
    client.setRequestHandler(kind, ({ params }) => {
      asked.push(params.message);
      return answer;
    });
  }
  await client.connect(transport);
  return { client, asked };
}

const CLIENTS = {
  "SDK 1 on /mcp": one(() => new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit })),
  "SDK 1 on /sse": one(() => new StreamableHTTPClientTransport(new URL(`${url}/sse`), { requestInit })),
  "SDK 1 by HTTP+SSE": one(() => new SSEClientTransport(new URL(`${url}/sse`), { requestInit })),
  "SDK 2 on /mcp, legacy": two("/mcp"),
  "SDK 2 on /mcp, 2026-07-28": two("/mcp", { pin: "2026-07-28" }),
  "SDK 2 on /sse, 2026-07-28": two("/sse", { pin: "2026-07-28" }),
};

const inSent = async (subject) => (await emulator.sent(ADELE, subject)).length;

/** Calls a tool; whether it failed, and what it said. */
async function call(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  return { failed: result.isError === true, ...JSON.parse(result.content[0].text) };
}

for (const [name, connect] of Object.entries(CLIENTS)) {
  test(`${name}: a mail with as much attached as it bears is agreed to and goes out with it`, async () => {
    const { client, asked } = await connect(YES);
    const subject = `attached ${name}`;
    const base64 = Buffer.alloc(990_000, "word ").toString("base64");
    const attachments = [{ name: "large.txt", base64 }, { name: "small.txt", base64: "SGVsbG8=" }];
    const mail = { to: "bo@fabrikam.example", subject, body: "<p>See there.</p>", attachments };
    assert.equal((await call(client, "sendEmail", mail)).status, "sent");
    assert.match(asked[0], /\nAttached \(2\): large\.txt, small\.txt\n/);
    const [{ files }] = await emulator.sent(ADELE, subject);
    assert.deepEqual(files.map(({ name, contentBytes }) => [name, contentBytes.length]), [["large.txt", base64.length], ["small.txt", 8]]);
    await client.close();
  });

  test(`${name}: a mail goes out on a yes, once, and on nothing else`, async (t) => {
    const mail = (subject) => ({ to: "bo@fabrikam.example", subject, body: "<p>Two pallets, please.</p>" });
    for (const [what, answer, sent] of [
      ["accepted", YES, 1],
      ["accepted without a yes", { action: "accept", content: { agree: false } }, 0],
      ["declined", { action: "decline" }, 0],
      ["cancelled", { action: "cancel" }, 0],
      ["not asked", undefined, 1],
    ]) {
      await t.test(what, async () => {
        const { client, asked } = await connect(answer);
        const subject = `${what} ${name}`;
        const told = await call(client, "sendEmail", mail(subject));
        assert.deepEqual([told.failed, told.status ?? told.code], sent ? [false, "sent"] : [true, "declined"]);
        assert.equal(asked.length, answer ? 1 : 0);
        if (answer) assert.match(asked[0], /^Send this mail\?\nTo: bo@fabrikam\.example \(OUTSIDE\)\nSubject: .*\n> Two pallets, please\.\n/);
        assert.equal(await inSent(subject), sent);
        await client.close();
      });
    }
  });
}

test("every other way out asks as well, and is done on a yes", async (t) => {
  const { client, asked } = await CLIENTS["SDK 2 on /mcp, 2026-07-28"](YES);
  t.after(() => client.close());
  const succeed = async (tool, args) => {
    const before = asked.length;
    const told = await call(client, tool, args);
    assert.deepEqual([tool, told.failed, asked.length - before], [tool, false, 1], JSON.stringify(told));
    return told;
  };
  const draft = await call(client, "sendEmail", { to: "bo@fabrikam.example", subject: "Lies there", body: "x", mode: "draft" });
  assert.deepEqual([draft.status, asked.length], ["draft", 0], "a draft reaches nobody");
  await succeed("sendDraft", { id: draft.id });
  assert.equal(await inSent("Lies there"), 1);
  const [{ id }] = items(parsed(await client.callTool({ name: "getEmails", arguments: { count: 1 } })));
  const { to } = await succeed("replyToEmail", { id, body: "Thank you.", contentType: "text" });
  assert.match(asked.at(-1), new RegExp(`^To: ${to[0].replaceAll(".", "\\.")}`, "m"));
  const span = { start: "2026-03-02T09:00:00", end: "2026-03-02T09:30:00", timezone: "Europe/Berlin" };
  const event = await succeed("createCalendarEvent", { subject: "Review", ...span, attendees: ["bo@fabrikam.example"] });
  await succeed("updateCalendarEvent", { id: event.id, subject: "Second review" });
  assert.match(asked.at(-1), /bo@fabrikam\.example[^]*New subject: Second review/);
  await succeed("cancelCalendarEvent", { id: event.id, comment: "Not needed." });
});

test("a policy without anybody to ask: drafts, and their digest sends them", async (t) => {
  await server.restartWorker({ SEND_POLICY: "fallback=draft; domains=fabrikam.example; rate=2/h" });
  const { client } = await CLIENTS["SDK 1 on /mcp"]();
  t.after(() => client.close());
  const mail = { to: "bo@fabrikam.example", subject: "Held back", body: "<p>Two pallets, please.</p>" };
  const stranger = await call(client, "sendEmail", { ...mail, to: "bo@evil.example" });
  assert.deepEqual([stranger.failed, stranger.code], [true, "sendPolicy"]);
  const held = await call(client, "sendEmail", mail);
  assert.equal(held.status, "draft");
  const refused = await call(client, "sendDraft", { id: held.id });
  assert.deepEqual([refused.failed, refused.code], [true, "agreementNeeded"]);
  assert.equal(await inSent(mail.subject), 0);
  const digest = /digest "([^"]+)"/.exec(held.note)[1];
  assert.equal((await call(client, "sendDraft", { id: held.id, digest })).status, "sent");
  assert.equal(await inSent(mail.subject), 1);
});
