// What the scripts promise: stopping leaves nothing behind, and the committed wrangler.toml is one that wrangler takes.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { attempt } from "../../scripts/lib/process.mjs";
import { DEV_BUILD, ROOT, WRANGLER_TOML, nodeBin } from "../../scripts/lib/project.mjs";
import { startServer } from "../../scripts/server.mjs";
import { until } from "./support/until.mjs";

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const accepts = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(true) || socket.destroy()).once("error", () => resolve(false));
  });

test("a stopped server leaves no process and no open port", async () => {
  const server = await startServer();
  const pids = [server.workerdPid, server.emulatorPid];
  assert.ok(pids.every(isAlive));
  await server.stop();
  await until("both processes have gone", () => !pids.some(isAlive));
  assert.equal(await accepts(server.port), false);
  assert.equal(await accepts(server.port + 1), false);
});

test("wrangler deploy --dry-run takes the committed configuration", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "m365-mcp-dry-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "wrangler.toml");
  // The development build stands in for the release build, which takes minutes; all else is as committed.
  const committed = readFileSync(WRANGLER_TOML, "utf8");
  const text = committed.replace('main = "build/index.js"', `main = ${JSON.stringify(join(DEV_BUILD, "index.js"))}`);
  writeFileSync(config, text.replace(/^\[build\]\ncommand = .*\n/m, ""));
  assert.notEqual(text, committed);
  const args = ["deploy", "--dry-run", "--config", config, "--outdir", join(folder, "out")];
  const { ok, output } = await attempt(nodeBin("wrangler"), args, {
    cwd: ROOT,
    // What it prints is what is asserted on; the runner keeps wrangler silent for the server's sake.
    env: { ...process.env, WRANGLER_LOG: "log", WRANGLER_SEND_METRICS: "false", CI: "true" },
    timeoutMs: 60_000,
  });
  assert.ok(ok, output);
  for (const binding of ["MCP_OBJECT", "OAUTH_KV", "AI"]) assert.ok(output.includes(binding), output);
  assert.match(output, /gzip: [\d.]+ KiB/);
});
