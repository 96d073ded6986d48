// mcp-remote as a desktop client runs it: over stdio, signing in through the browser that it opens.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { journeys } from "./support/journey.mjs";
import { request } from "./support/mcp.mjs";
import { walk } from "./support/oauth.mjs";
import { emptyHome, recordingBrowser, startBin } from "./support/programs.mjs";
import { revisionOf, revisionsSeen } from "./support/revisions.mjs";
import { serve } from "./support/server.mjs";
import { until, within } from "./support/until.mjs";

const SIGN_IN_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 50_000;

const LEGACY = "2025-11-25";

/** URL, options, the revision that it agrees on with the server. Its own client knows only the one before. */
const WAYS = [
  ["/mcp", [], LEGACY],
  ["/mcp", ["--protocol", "auto"], "2026-07-28"],
  ["/sse", [], LEGACY],
  ["/sse", ["--transport", "sse-only"], LEGACY],
];

const server = await serve({ alter: revisionsSeen });

journeys(
  server,
  WAYS.map(([path, flags, revision]) => ({
    name: `mcp-remote ${flags.join(" ")} on ${path}`,
    revision,
    start: (url) => start(url + path, flags),
    ...(flags.includes("sse-only") ? { loses: "stream" } : {}),
  })),
);

async function start(endpoint, flags) {
  const home = emptyHome();
  const { env, opened } = recordingBrowser(home.path);
  const remote = startBin("mcp-remote", [endpoint, ...flags], { home: home.path, env });
  const { ask, tell } = stdio(remote);
  const close = async () => {
    await remote.stop();
    home.remove();
  };
  try {
    const clientInfo = { name: "runtime-test", version: "1" };
    const answered = ask("initialize", { protocolVersion: LEGACY, capabilities: {}, clientInfo });
    // Until the sign-in is through there is no answer; a failure must not be an unhandled one.
    answered.catch(() => {});
    const address = await until("the address that mcp-remote opens", opened, SIGN_IN_LIMIT_MS);
    const redirectUri = new URL(address).searchParams.get("redirect_uri");
    const called = await walk(address, { redirectUri });
    assert.equal((await fetch(called)).status, 200, "mcp-remote takes the code");
    await answered;
    tell({ jsonrpc: "2.0", method: "notifications/initialized" });
    const tools = async () => (await ask("tools/list")).tools.map(({ name }) => name);
    await tools();
    const call = (name, args, signal) => ask("tools/call", { name, arguments: args }, signal);
    return { revision: revisionOf(server), tools, call, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** JSON-RPC over the program's stdin and stdout, as a client: what is taken back is not waited for. */
function stdio(remote) {
  const waiting = new Map();
  createInterface({ input: remote.child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message);
  });
  const tell = (message) => remote.child.stdin.write(`${JSON.stringify(message)}\n`);
  const ask = async (method, params, signal) => {
    const message = request(method, params);
    const answer = new Promise((resolve, reject) => {
      waiting.set(message.id, resolve);
      signal?.addEventListener("abort", () => {
        tell({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: message.id } });
        reject(new Error("taken back"));
      });
    });
    tell(message);
    const { result, error } = await within(ANSWER_LIMIT_MS, `an answer to ${method}`, answer).catch((late) => {
      throw new Error(`${late.message}\n${remote.texts.stderr}`);
    });
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
  return { ask, tell };
}
