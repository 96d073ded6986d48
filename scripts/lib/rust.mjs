// The Rust side of set-up: compiler, Wasm target, and the two cargo tools that build a Worker.
// The tools go to .tools/, so that a machine's own versions are neither needed nor touched.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attempt, run } from "./process.mjs";
import { TOOLS_DIR, WASM_TARGET, cargoToolBin, lockedVersion } from "./project.mjs";
import { Failure, step } from "./terminal.mjs";

/** A firewall that drops packets keeps rustup silent for minutes; a real download takes seconds. */
const RUSTUP_LIMIT_MS = 60_000;
const GET_RUST = "https://rustup.rs (one line to paste), then open a new terminal";

/** The cargo tools, their exact versions and the environment variable that worker-build reads. */
const cargoTools = () => [
  // worker-build is released together with the crate and refuses another minor version of it.
  { crate: "worker-build", bin: "worker-build", version: lockedVersion("worker") },
  { crate: "wasm-bindgen-cli", bin: "wasm-bindgen", version: lockedVersion("wasm-bindgen") },
];

export async function ensureRust() {
  for (const tool of ["cargo", "rustc"]) {
    const { ok, output, error } = await attempt(tool, ["--version"]);
    if (ok) continue;
    throw new Failure(`${tool} ${error?.code === "ENOENT" ? "is not installed" : "does not run"}`, {
      output: output || undefined,
      why: "the Worker and the emulator are written in Rust",
      fix: `install it from ${GET_RUST}`,
    });
  }
}

export async function ensureWasmTarget() {
  const libraries = await attempt("rustc", ["--target", WASM_TARGET, "--print", "target-libdir"]);
  if (libraries.ok && existsSync(libraries.output.trim())) return;
  await step(`Rust target ${WASM_TARGET}`, async (note) => {
    const result = await attempt("rustup", ["target", "add", WASM_TARGET], { onLine: note, timeoutMs: RUSTUP_LIMIT_MS });
    if (!result.ok) throw missingTarget(result);
  });
}

function missingTarget({ error, timedOut, output }) {
  const byHand = `rustup target add ${WASM_TARGET}`;
  const what = `the Rust target ${WASM_TARGET} is missing`;
  const why = "a Worker is compiled to WebAssembly, and this holds the standard library for it";
  if (error?.code === "ENOENT") {
    return new Failure(what, {
      why: `${why}; rustup, which fetches it, is not installed`,
      fix: [`install Rust by rustup: ${GET_RUST}`, "or install your distribution's package of that target"],
    });
  }
  const trouble = timedOut ? `rustup did not answer within ${RUSTUP_LIMIT_MS / 1000} s` : "rustup could not fetch it";
  return new Failure(`${what}: ${trouble}`, {
    output: output || undefined,
    why,
    fix: [`check the way to static.rust-lang.org (proxy, firewall), then: ${byHand}`, "or set RUSTUP_DIST_SERVER to a mirror"],
  });
}

/** The two components that only tests need; rustup's minimal profile leaves them out. */
export async function ensureRustComponents() {
  for (const component of ["rustfmt", "clippy"]) {
    if ((await attempt(component === "clippy" ? "cargo-clippy" : component, ["--version"])).ok) continue;
    await step(`Rust component ${component}`, (note) =>
      run("rustup", ["component", "add", component], { onLine: note, timeoutMs: RUSTUP_LIMIT_MS }, {
        what: `the Rust component ${component} is missing`,
        why: "npm test checks the formatting and the lints",
        fix: `rustup component add ${component}`,
      }),
    );
  }
}

/** Installs what is not there in the right version, both at once. */
export async function ensureCargoTools() {
  const missing = [];
  for (const tool of cargoTools()) if (!(await findTool(tool))) missing.push(tool);
  await Promise.all(missing.map(installTool));
}

/** The environment in which worker-build finds its helpers instead of downloading them. */
export async function cargoToolPaths() {
  const paths = await Promise.all(cargoTools().map(findTool));
  return { workerBuild: paths[0], wasmBindgen: paths[1] };
}

/** Ours first, then one on the PATH; only the exact version counts. */
async function findTool({ bin, version }) {
  for (const path of [cargoToolBin(bin), bin]) {
    const { ok, output } = await attempt(path, ["--version"]);
    if (ok && output.trim().split(/\s+/).at(-1) === version) return path;
  }
  return undefined;
}

async function installTool({ crate, bin, version }) {
  const target = join(TOOLS_DIR, `target-${crate}`);
  mkdirSync(TOOLS_DIR, { recursive: true });
  const work = (note) =>
    // A debug build without debug information: it compiles several times as fast as an optimised one,
    // and these tools run for less than a second.
    // Not --locked: the published lock file of wasm-bindgen-cli names a withdrawn crate.
    run(
      "cargo",
      ["install", "--debug", crate, "--version", version, "--bin", bin, "--root", TOOLS_DIR, "--force"],
      { onLine: note, env: { ...process.env, CARGO_TARGET_DIR: target, CARGO_PROFILE_DEV_DEBUG: "0" } },
      {
        what: `${crate} ${version} could not be installed`,
        why: "it turns the compiled Rust into a Worker",
        fix: ["check the way to the Rust package registry (proxy, firewall) and that a C compiler is installed (cc)", "then run the command again"],
      },
    );
  await step(`${crate} ${version}`, work, { hint: "compiles into .tools once, one to three minutes" });
  rmSync(target, { recursive: true, force: true });
}

/** Compiles a program of the workspace (cargo decides what there is to do) and returns the path of its binary. */
export async function buildProgram(crate, { what, onLine, profile = "dev" }) {
  let path;
  const read = (line) => {
    // Cargo reports artefacts as JSON lines on stdout; its progress and errors are plain text.
    if (!line.startsWith("{")) return onLine?.(line);
    const { executable, target } = JSON.parse(line);
    if (executable && target.name === crate) path = executable;
  };
  const args = ["build", "-p", crate, "--profile", profile, "--message-format=json-render-diagnostics"];
  await run("cargo", args, { onLine: read }, { what: `${what} did not compile` });
  return path;
}
