// Counts the KV operations of each step: a second server whose `OAUTH_KV` is a wrapped binding (a Miniflare and workerd
// feature) that writes one log line per call before it passes the call on. Worker and objects see the same binding.
import { setTimeout as pause } from "node:timers/promises";
import { startServer } from "../../../scripts/server.mjs";
import { ADELE, authorizeUrl, pkce, redemption, register, REDIRECT_URI, token, walk } from "../../runtime/support/oauth.mjs";
import { CASES } from "./cases.mjs";
import { openSession } from "./clients.mjs";
import { connectTo } from "./load.mjs";

export const HOW = "counted by wrapping the OAUTH_KV binding of a second server; each step is done several times";
const MARK = "bench.kv";
const TIMES = 10;
/** Log lines come by a pipe, and work may go on behind the answer. */
const QUIET_MS = 150;

const COUNTER = `
export default function ({ INNER }) {
  const counted = (operation) => (key, ...rest) => {
    const kind = typeof key === "string" ? key.split(":")[0] : "";
    console.log(JSON.stringify({ event: "${MARK}", operation, kind }));
    return INNER[operation](key, ...rest);
  };
  return Object.fromEntries(["get", "getWithMetadata", "put", "delete", "list"].map((name) => [name, counted(name)]));
}`;

/** Puts the counter between the Worker and its namespace. */
function countKv({ host, port, cf, defaultPersistRoot, handleRuntimeStdio, ...worker }) {
  const { kvNamespaces, ...rest } = worker;
  const [id] = Object.values(kvNamespaces).map((one) => one.id ?? one);
  const counter = {
    name: "kv-counter",
    modules: [{ type: "ESModule", path: "counter.js", contents: COUNTER }],
    kvNamespaces: { INNER: id },
  };
  const shared = { host, port, cf, defaultPersistRoot, handleRuntimeStdio };
  return { ...shared, workers: [{ ...rest, wrappedBindings: { OAUTH_KV: "kv-counter" } }, counter] };
}

/** @returns {Promise<{step: string, operations: Record<string, number>}[]>} per single step, by operation and kind of key */
export async function countKvOperations() {
  const server = await startServer({ build: "release", alter: countKv });
  const link = connectTo({ port: server.port, host: `localhost:${server.port}` }, 1);
  const seen = () => server.events(MARK);
  const counts = [];
  const count = async (step, times, work) => {
    const before = (await settled(seen)).length;
    const results = [];
    for (let done = 0; done < times; done += 1) results.push(await work());
    counts.push({ step, operations: tally((await settled(seen)).slice(before), times) });
    return results.at(-1);
  };
  try {
    const client = await countSignIn(server.url, count);
    await openSession(link.send, client);
    for (const { name, product } of CASES) await count(name, TIMES, () => product(link.send, client));
  } finally {
    link.close();
    await server.stop();
  }
  return counts;
}

async function countSignIn(url, count) {
  const { client_id: clientId } = await count("register", 1, () => register(url));
  const { verifier, challenge } = pkce();
  const address = authorizeUrl(url, { clientId, challenge });
  const end = await count("consent, Microsoft, callback", 1, () => walk(address, { user: ADELE }));
  const code = end.searchParams.get("code");
  const fields = redemption({ clientId, redirectUri: REDIRECT_URI, verifier, code });
  const { body } = await count("redeem the code", 1, () => token(url, fields));
  return { clientId, access: body.access_token, refresh: body.refresh_token };
}

async function settled(seen) {
  for (let length = -1; length !== seen().length; ) {
    length = seen().length;
    await pause(QUIET_MS);
  }
  return seen();
}

function tally(events, times) {
  const operations = {};
  for (const { operation, kind } of events) {
    const name = `${operation} ${kind}`;
    operations[name] = (operations[name] ?? 0) + 1 / times;
  }
  return operations;
}
