// Where things are in this project, and the versions that its own files pin. Node built-ins only.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Everything a developer's machine produces and git ignores. */
export const DEV_DIR = join(ROOT, ".dev");
/** State of servers that a test started; `npm test` empties it at its end, whatever became of the tests. */
export const TEMPORARY_DIR = join(DEV_DIR, "tmp");
export const TOOLS_DIR = join(ROOT, ".tools");
export const RELEASE_BUILD = join(ROOT, "build");
export const DEV_BUILD = join(DEV_DIR, "build");
export const CONFORMANCE_BUILD = join(DEV_DIR, "build-conformance");
export const WRANGLER_TOML = join(ROOT, "wrangler.toml");

export const WASM_TARGET = "wasm32-unknown-unknown";
export const NODE_MINIMUM = 20;

/** The version of a crate in Cargo.lock; the command-line tools must match their libraries exactly. */
export function lockedVersion(crate) {
  const lock = readFileSync(join(ROOT, "Cargo.lock"), "utf8");
  const found = lock.match(new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`));
  if (!found) throw new Error(`Cargo.lock names no ${crate}`);
  return found[1];
}

/** A program of an npm package, for tools that take a path. */
export const nodeBin = (name) => join(ROOT, "node_modules", ".bin", name);
export const cargoToolBin = (name) => join(TOOLS_DIR, "bin", name);
