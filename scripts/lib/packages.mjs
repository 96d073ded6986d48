// The npm packages of set-up: installed when they are absent or the lock file has changed. Node built-ins only.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.mjs";
import { ROOT } from "./project.mjs";
import { step } from "./terminal.mjs";

const LOCK = join(ROOT, "package-lock.json");
const STAMP = join(ROOT, "node_modules", ".m365-mcp-lock");

export async function ensurePackages() {
  const wanted = createHash("sha256").update(readFileSync(LOCK)).digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  // The npm that runs us is the one to use; started by `node scripts/…` or by another manager there is only the PATH's.
  const own = process.env.npm_execpath ?? "";
  const npm = own.endsWith("npm-cli.js") ? [process.execPath, own] : ["npm"];
  const install = (note) =>
    run(npm[0], [...npm.slice(1), "ci", "--no-audit", "--no-fund"], { onLine: note }, {
      what: "the npm packages could not be installed",
      why: "wrangler, the Workers runtime, esbuild and wasm-opt come from npm",
      fix: "check the way to your npm registry (npm ping), then run the command again",
    });
  await step("npm packages", install, { hint: "450 MB, about a minute" });
  writeFileSync(STAMP, wanted);
}
