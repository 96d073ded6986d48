// mcp-remote as a desktop client runs it: over stdio, signing in through the browser that it opens.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import test from "node:test";
import { createInterface } from "node:readline";
import { items, parsed, request } from "./support/mcp.mjs";
import { walk } from "./support/oauth.mjs";
import { emptyHome, startBin } from "./support/programs.mjs";
import { serve } from "./support/server.mjs";
import { until, within } from "./support/until.mjs";

const SIGN_IN_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 20_000;

const { url } = await serve();

for (const [path, flags] of [["/mcp", []], ["/sse", ["--transport", "sse-only"]]]) {
  test(`mcp-remote signs in and reads mail over ${path} ${flags.join(" ")}`, async (t) => {
    const { remote, opened } = startRemote(t, url + path, flags);
    const ask = stdio(remote);
    const answered = ask("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "runtime-test", version: "1" },
    });
    // Until the sign-in is through there is no answer; a failure must not be an unhandled one.
    answered.catch(() => {});
    const address = await until("the address that mcp-remote opens", opened, SIGN_IN_LIMIT_MS);
    const redirectUri = new URL(address).searchParams.get("redirect_uri");
    const called = await walk(address, { redirectUri });
    assert.equal((await fetch(called)).status, 200, "mcp-remote takes the code");

    assert.equal((await answered).serverInfo.name, "m365-mcp");
    remote.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
    assert.ok((await ask("tools/list")).tools.some(({ name }) => name === "getEmails"));
    const page = parsed(await ask("tools/call", { name: "getEmails", arguments: { count: 3 } }));
    assert.equal(items(page).length, 3);
  });
}

/** mcp-remote with an empty home and a browser that only writes down where it was sent. */
function startRemote(t, endpoint, flags) {
  const home = emptyHome();
  const record = join(home.path, "opened");
  for (const name of ["browser", "open", "xdg-open"]) {
    const path = join(home.path, name);
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@" >>'${record}'\n`);
    chmodSync(path, 0o755);
  }
  const remote = startBin("mcp-remote", [endpoint, ...flags], {
    home: home.path,
    env: { BROWSER: join(home.path, "browser"), PATH: home.path + delimiter + process.env.PATH },
  });
  t.after(async () => {
    await remote.stop();
    home.remove();
  });
  const opened = () => existsSync(record) && readFileSync(record, "utf8").split("\n").find((line) => line.startsWith("http"));
  return { remote, opened };
}

/** JSON-RPC over the program's stdin and stdout. */
function stdio(remote) {
  const waiting = new Map();
  createInterface({ input: remote.child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message);
  });
  return async (method, params) => {
    const message = request(method, params);
    const answer = new Promise((resolve) => waiting.set(message.id, resolve));
    remote.child.stdin.write(`${JSON.stringify(message)}\n`);
    const { result, error } = await within(ANSWER_LIMIT_MS + SIGN_IN_LIMIT_MS, `an answer to ${method}`, answer).catch((late) => {
      throw new Error(`${late.message}\n${remote.texts.stderr}`);
    });
    assert.equal(error, undefined, JSON.stringify(error));
    return result;
  };
}
