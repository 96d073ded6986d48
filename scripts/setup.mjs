// Set-up: everything the other commands need, each part skipped when it is there. They all call it first,
// on a fresh clone too, so it and all it imports use Node built-ins only. `npm run setup` runs it alone.
import { mkdirSync } from "node:fs";
import { argv, platform, versions } from "node:process";
import { fileURLToPath } from "node:url";
import { ensurePackages } from "./lib/packages.mjs";
import { command } from "./lib/process.mjs";
import { DEV_DIR, NODE_MINIMUM } from "./lib/project.mjs";
import { ensureCargoTools, ensureRust, ensureWasmTarget } from "./lib/rust.mjs";
import { Failure, say } from "./lib/terminal.mjs";

export async function setUp() {
  checkNode();
  checkPlatform();
  mkdirSync(DEV_DIR, { recursive: true });
  await ensureRust();
  await ensureWasmTarget();
  await Promise.all([ensurePackages(), ensureCargoTools()]);
}

function checkNode() {
  if (Number.parseInt(versions.node, 10) >= NODE_MINIMUM) return;
  throw new Failure(`Node ${versions.node} is too old`, {
    why: `the tools need Node ${NODE_MINIMUM} or newer`,
    fix: "https://nodejs.org, or your version manager (nvm install 22)",
  });
}

function checkPlatform() {
  if (platform !== "win32") return;
  throw new Failure("Windows is not supported directly", {
    why: "the scripts rely on POSIX signals and process groups",
    fix: "run it inside WSL: https://learn.microsoft.com/windows/wsl/install",
  });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  command(async () => {
    await setUp();
    say("Everything is in place.");
  });
}
