// Arguments that try to lead a Graph call elsewhere: judged by what the emulator's Graph really saw.
import assert from "node:assert/strict";
import test from "node:test";
import { Session, items } from "../runtime/support/mcp.mjs";
import { ADELE, ALEX, signIn } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";

const { emulator, url } = await serve();
const sessionOf = async (user) => Session.open(url, (await signIn(url, { user })).access);
const [adele, alex] = await Promise.all([sessionOf(ADELE), sessionOf(ALEX)]);
// The mailbox's zone is asked for with the first mails and then known: every call below is of the arguments.
for (const session of [adele, alex]) await session.call("getEmails", { count: 1 });

const CLIMBS = [
  "..",
  ".",
  "../messages",
  "../../users/alex@contoso.example/mailFolders/inbox",
  "%2e%2e",
  "%2E%2E/%2e%2e/users",
  ".%2e",
  "%252e%252e",
  "..%2f..%2fusers",
  "..\\..\\users",
  "inbox/messages/x/$value",
  "inbox?$select=body&$top=1000",
  "inbox%3f$top=1000",
  "inbox#",
  "inbox%23",
  "inbox')/messages('x",
  "inbox\r\nX-Injected: 1",
  "inbox\u0000",
  "",
];

/** The calls that `work` made; each must be in `place`, with the query keys of a harmless call. */
async function staysIn(place, keys, work) {
  const { calls } = await emulator.graphCallsDuring(work);
  for (const call of calls) {
    assert.match(call.path, place);
    assert.deepEqual(queryKeys(call), keys, call.query);
    assert.equal(call.headers["x-injected"], undefined);
  }
}

const queryKeys = (call) => [...new URLSearchParams(call.query).keys()].sort();

async function keysOf(work) {
  const { calls } = await emulator.graphCallsDuring(work);
  assert.ok(calls.length > 0);
  return queryKeys(calls.at(-1));
}

for (const value of CLIMBS) {
  test(`folder ${JSON.stringify(value)} stays one segment below mailFolders`, async () => {
    const keys = await keysOf(() => adele.call("getEmails", { folder: "archive" }));
    await staysIn(/^\/v1\.0\/me\/mailFolders\/[^/]+\/messages$/, keys, () => adele.raw("getEmails", { folder: value }));
  });

  test(`teamId and channelId ${JSON.stringify(value)} stay one segment`, async () => {
    const place = /^\/v1\.0\/teams\/[^/]+\/channels\/[^/]+\/messages$/;
    const message = "x";
    await staysIn(place, [], () => adele.raw("sendTeamsMessage", { teamId: value, channelId: "19:c", message }));
    await staysIn(place, [], () => adele.raw("sendTeamsMessage", { teamId: "t", channelId: value, message }));
  });
}

test("a search text cannot end the quotes that it stands in", async () => {
  const harmless = await keysOf(() => adele.raw("searchEmails", { query: "invoice" }));
  for (const query of ['x" OR from:"megan', 'x"&$top=1000&$filter="', "x\\", 'x\\" OR "y', 'x" "y', "a#b", "a&$select=body", "a%22b"]) {
    const { calls } = await emulator.graphCallsDuring(() => adele.raw("searchEmails", { query }));
    for (const call of calls) {
      assert.match(call.path, /^\/v1\.0\/me\/messages$/);
      assert.deepEqual(queryKeys(call), harmless, call.query);
      const search = new URLSearchParams(call.query).get("$search");
      assert.match(search, /^"(?:[^"\\]|\\.)*"$/s, `${query} became ${search}`);
    }
  }
});

test("a search finds what it names, also with quotes in it", async () => {
  const found = await adele.call("searchEmails", { query: "invoice", count: 3 });
  assert.ok(items(found).length > 0);
});

test("another user's cursor, a forged one and one of another tool lead nowhere", async () => {
  const { nextCursor } = await adele.call("getEmails", { count: 2 });
  const attempts = [
    [alex, "getEmails", nextCursor],
    [adele, "searchEmails", nextCursor],
    [adele, "getEmails", nextCursor.slice(0, -3)],
    [adele, "getEmails", Buffer.from('{"link":"/users"}').toString("base64url")],
  ];
  for (const [session, tool, cursor] of attempts) {
    const args = tool === "searchEmails" ? { query: "invoice", cursor } : { cursor };
    const { calls, result } = await emulator.graphCallsDuring(() => session.failure(tool, args));
    assert.equal(result.source, "arguments");
    assert.ok(result.message.includes("cursor"), result.message);
    assert.deepEqual(calls, []);
  }
  assert.ok(items(await adele.call("getEmails", { count: 2, cursor: nextCursor })).length > 0, "the owner's still works");
});

test("no Graph call goes past the gateway", async () => {
  const logs = (await emulator.gatewayLogs()).length;
  const { calls } = await emulator.graphCallsDuring(() => adele.call("getEmails", { count: 1 }));
  assert.equal((await emulator.gatewayLogs()).length - logs, calls.length);
});
