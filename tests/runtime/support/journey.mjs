// What every published client is taken through, whatever it is written in and whichever revision it agrees on: refused
// and signed in, the tools listed, one called, a list read page by page, a call taken back; then, after the Worker was
// restarted under all of them, the same session goes on without a person.
import assert from "node:assert/strict";
import test from "node:test";
import { items, parsed } from "./mcp.mjs";
import { until } from "./until.mjs";

const PAGE = 4;
const SLOW_MS = 3000;
const BACK_MS = 30_000;
const STATELESS = "2026-07-28";

/**
 * @typedef {object} Connection what a client has to be able to do
 * @property {string} revision the one that it agreed on
 * @property {() => Promise<string[]>} tools
 * @property {(name: string, args: object, signal?: AbortSignal) => Promise<object>} call
 * @property {() => Promise<void>} [connect] anew, with the tokens that it has
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Client
 * @property {string} name
 * @property {string} revision what TECHNICAL.md's table says
 * @property {(url: string) => Promise<Connection>} start
 * @property {"stream" | "connection"} [loses] what a restart takes away: a stream that the client opens again by itself,
 *   or the connection, so that its application has to connect anew
 */

/** Registers the journeys of these clients, all on one server and through one restart. */
export function journeys(server, clients) {
  test("published clients, through a restart in mid-session", async (t) => {
    const under_way = [];
    t.after(() => Promise.all(under_way.map(({ connection }) => connection.close())));
    for (const client of clients) {
      await t.test(`${client.name}: signs in, agrees on ${client.revision}, lists, calls, pages and cancels`, async () => {
        const connection = await client.start(server.url);
        const journey = { client, connection };
        under_way.push(journey);
        await setOut(journey);
        await takeBack(server, journey);
      });
    }
    const signedIn = server.events("oauth.signed_in").length;
    await server.restartWorker();
    for (const journey of under_way) {
      await t.test(`${journey.client.name}: goes on after the Worker was restarted`, () => goOn(journey));
    }
    assert.equal(server.events("oauth.signed_in").length, signedIn, "nobody had to sign in again");
  });
}

const mails = async ({ connection }, args) => parsed(await connection.call("getEmails", { count: PAGE, ...args }));

async function setOut(journey) {
  const { client, connection } = journey;
  assert.equal(connection.revision, client.revision);
  assert.equal((await connection.tools())[0], "authenticate");
  const first = await mails(journey);
  const second = await mails(journey, { cursor: first.nextCursor });
  journey.seen = [...items(first), ...items(second)].map(({ id }) => id);
  journey.cursor = second.nextCursor;
  assert.equal(new Set(journey.seen).size, 2 * PAGE, "no mail comes twice");
}

/** A stateless client closes its connection, which workerd alone does not tell the Worker: see calls.test.mjs. */
async function takeBack(server, { client, connection }) {
  const { emulator } = server;
  await emulator.fault("graph", "slow", { delayMs: SLOW_MS });
  // A tool that nothing else here calls: lines of earlier calls may still be on their way. Nor one of mail: Graph works on
  // after a call was taken back, and a mailbox has places for four.
  const lines = () => server.events("mcp.tool").filter(({ tool }) => tool === "getTeams");
  const before = lines().length;
  const abort = new AbortController();
  const call = connection.call("getTeams", {}, abort.signal);
  call.catch(() => {});
  await until("the call at Graph", async () => (await emulator.ask("GET", "/faults")).length === 0);
  abort.abort("changed my mind");
  await assert.rejects(call);
  const line = await until("the call's line", () => lines()[before]);
  if (client.revision !== STATELESS) assert.equal(line.reason, "cancelled");
  assert.equal((await connection.tools())[0], "authenticate", "the client goes on");
}

async function goOn(journey) {
  const { client, connection, cursor, seen } = journey;
  if (client.loses === "connection") {
    await assert.rejects(mails(journey));
    await connection.connect();
  }
  // Until its stream is back an HTTP+SSE client is refused, and never waits for an answer that cannot come.
  const third = await until(
    "the next page",
    () => mails(journey, { cursor }).catch((error) => client.loses !== "stream" && Promise.reject(error)),
    BACK_MS,
  );
  const ids = items(third).map(({ id }) => id);
  assert.equal(ids.length, PAGE);
  assert.deepEqual(ids.filter((id) => seen.includes(id)), [], "the cursor leads on");
  assert.equal(connection.revision, client.revision);
}
