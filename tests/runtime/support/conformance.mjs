// The published conformance suite against a server that wants a sign-in.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const SUITE = join(dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")), "dist", "index.js");
const SHIM = new URL("./node22-fs.mjs", import.meta.url).href;

/** Runs one scenario; its checks, each with `id`, `status` and `errorMessage`. */
export async function runScenario(url, revision, scenario) {
  const output = mkdtempSync(join(tmpdir(), "m365-mcp-conformance-"));
  const args = ["server", "--url", url, "--scenario", scenario, "--spec-version", revision, "-o", output];
  const child = spawn(process.execPath, ["--import", SHIM, SUITE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  await new Promise((resolve) => child.once("close", resolve));
  try {
    const [folder] = readdirSync(output);
    if (!folder) throw new Error(`${scenario} did not run:\n${said}`);
    return JSON.parse(readFileSync(join(output, folder, "checks.json"), "utf8"));
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}
