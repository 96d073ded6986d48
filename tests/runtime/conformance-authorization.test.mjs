// The published MCP conformance package judges the authorization server: its `authorization` command against the running
// Worker, with a browser without a screen where it asks for one. What counts is the package's own verdict.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { freePortPair } from "../../scripts/lib/ports.mjs";
import { register, walk } from "./support/oauth.mjs";
import { emptyHome, startBin } from "./support/programs.mjs";
import { serve } from "./support/server.mjs";
import { until, within } from "./support/until.mjs";

const LIMIT_MS = 60_000;
const PRELOAD = new URL("support/node22-fs.mjs", import.meta.url).href;
const SCENARIOS = ["authorization-code-grant", "authorization-server-metadata-endpoint"];
/** Where the command asks a person to go. */
const ADDRESS = /^http\S+\/authorize\?\S+$/m;

const { url } = await serve();
const home = emptyHome();
after(() => home.remove());

/** The checks that the command wrote down, by scenario. */
function checksIn(folder) {
  const results = readdirSync(folder).map((name) => [
    SCENARIOS.find((scenario) => name.includes(`-${scenario}-`)) ?? name,
    JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8")),
  ]);
  return Object.fromEntries(results);
}

/** Runs the command for a client that is registered beforehand, and signs in where it waits for that. */
async function judge({ resource }) {
  const port = await freePortPair();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const { client_id: clientId } = await register(url, { redirectUri });
  const output = join(home.path, resource ? "with-resource" : "without-resource");
  const program = startBin(
    "conformance",
    ["authorization", "--url", url, "--client-id", clientId, "--port", String(port), "-o", output, ...(resource ? ["--resource", resource] : [])],
    { home: home.path, env: { NODE_OPTIONS: `--import=${PRELOAD}` } },
  );
  try {
    const address = await until("the address to sign in at", () => {
      assert.equal(program.child.exitCode, null, program.texts.stderr + program.texts.stdout);
      return program.texts.stdout.match(ADDRESS)?.[0];
    });
    // The command's own callback has to be visited as well: it waits for the code there.
    await (await fetch(await walk(address, { redirectUri }))).text();
    const { code } = await within(LIMIT_MS, "the end of the command", program.exited);
    return { code, text: program.texts.stdout + program.texts.stderr, checks: checksIn(output) };
  } finally {
    await program.stop();
  }
}

for (const [what, resource] of Object.entries({ "without a resource": undefined, "for the MCP endpoint": `${url}/mcp` })) {
  test(`the conformance package finds no fault with the authorization server, ${what}`, async (t) => {
    const { code, text, checks } = await judge({ resource });
    assert.deepEqual(Object.keys(checks).sort(), SCENARIOS, text);
    for (const { id, status, errorMessage } of Object.values(checks).flat()) {
      t.diagnostic(`${id}: ${status}${errorMessage ? ` (${errorMessage})` : ""}`);
      assert.equal(status, "SUCCESS", `${id}: ${errorMessage}`);
    }
    assert.equal(code, 0, text);
  });
}
