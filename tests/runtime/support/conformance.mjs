// The published conformance suite against a server that wants a sign-in.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const SUITE = join(dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")), "dist", "index.js");
const SHIM = new URL("./node22-fs.mjs", import.meta.url).href;

/** Ends the name of a folder of results. */
const TIMESTAMP = /-\d{4}-\d{2}-\d{2}T[\d-]+Z$/;

/**
 * Runs the scenarios that `args` choose, in one process. By scenario its checks, each with `id`, `status` and
 * `errorMessage`: the summary that the suite prints counts a warning as passed.
 *
 * @returns {Promise<Map<string, {id: string, status: string, errorMessage?: string}[]>>}
 */
export async function runSuite(url, ...args) {
  const output = mkdtempSync(join(tmpdir(), "m365-mcp-conformance-"));
  const said = await suite("server", "--url", url, ...args, "-o", output);
  try {
    const folders = readdirSync(output);
    if (folders.length === 0) throw new Error(`${args.join(" ")} did not run:\n${said}`);
    const checksOf = (folder) => JSON.parse(readFileSync(join(output, folder, "checks.json"), "utf8"));
    return new Map(folders.map((folder) => [folder.replace(/^server-/, "").replace(TIMESTAMP, ""), checksOf(folder)]));
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

/** The scenarios for servers that count for a revision, and those that the suite runs and does not count. */
export async function requirements(revision) {
  const listed = await suite("list", "--server", "--requirements", revision);
  const [scored, unscored = ""] = listed.split("never scored:");
  const counted = scored.split("Client scenarios")[0];
  const names = (text, form) => [...text.matchAll(form)].map(([, name]) => name);
  return { required: names(counted, /^ {2}- (\S+)$/gm), unscored: names(unscored, /^ {4}- (\S+) \[server\]$/gm) };
}

/** What does not hold: a failure, a warning, and what was not even tried. */
export const flaws = (checks) =>
  checks
    .filter(({ status }) => status !== "SUCCESS" && status !== "INFO")
    .map(({ id, status, errorMessage }) => `${status} ${id}: ${errorMessage ?? ""}`);

async function suite(...args) {
  const child = spawn(process.execPath, ["--import", SHIM, SUITE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  await new Promise((resolve) => child.once("close", resolve));
  return said;
}
