// Compiles the Worker by worker-build: a release build for upload, or a quick one for development and tests.
// A build whose inputs have not changed since is left alone.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { run } from "./process.mjs";
import { CONFORMANCE_BUILD, DEV_BUILD, RELEASE_BUILD, ROOT, WASM_TARGET, nodeBin } from "./project.mjs";
import { cargoToolPaths } from "./rust.mjs";

const MODES = {
  dev: { directory: DEV_BUILD, flags: ["--dev", "--no-opt"] },
  // The development build with the fixtures that the published conformance suite calls.
  conformance: { directory: CONFORMANCE_BUILD, flags: ["--dev", "--no-opt"], cargo: ["--features", "conformance"] },
  release: { directory: RELEASE_BUILD, flags: ["--release", "--no-opt"] },
};

// Named one by one: what a newer wasm-opt would emit besides, workerd may not load yet.
const WASM_FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
].map((feature) => `--enable-${feature}`);

/** What the Worker is compiled from. */
const INPUTS = ["src", "reader", "templates", "migrations", "Cargo.toml", "Cargo.lock", "package-lock.json", "rust-toolchain.toml", "askama.toml"];

export const buildDirectory = (mode) => MODES[mode].directory;

/** One value that changes when any input's content may have changed: paths, sizes and times, not bytes. */
export function inputFingerprint() {
  const hash = createHash("sha256");
  for (const input of INPUTS) visit(join(ROOT, input), hash);
  return hash.digest("hex");
}

function visit(path, hash) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return;
  if (!info.isDirectory()) return hash.update(`${path}\0${info.size}\0${info.mtimeMs}\n`);
  for (const name of readdirSync(path).sort()) visit(join(path, name), hash);
}

/** True when the directory holds a build of exactly these inputs. */
export function isBuilt(mode, fingerprint = inputFingerprint()) {
  const stamp = stampOf(mode);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint;
}

// Beside the directory, not in it: worker-build empties it, and wrangler would take the file for a module.
const stampOf = (mode) => `${MODES[mode].directory}.stamp`;

/** Builds; the old build stays in place when the compiler refuses. Fails with the compiler's output. */
export async function buildWorker(mode, { onLine, inherit = false } = {}) {
  // Taken first: what changes while the compiler runs must count as a change.
  const fingerprint = inputFingerprint();
  const { directory, flags, cargo } = MODES[mode];
  rmSync(stampOf(mode), { force: true });
  await compileCrate(ROOT, directory, flags, { onLine, inherit, cargo });
  if (mode === "release") await optimise(join(directory, "index_bg.wasm"), onLine);
  await addReader(directory, onLine);
  writeFileSync(stampOf(mode), fingerprint);
}

/** Another crate of the workspace, built as the release is. Cargo decides what there is to compile. */
export async function buildReleaseOf(crate, directory, { onLine } = {}) {
  await compileCrate(crate, directory, MODES.release.flags, { onLine });
  await optimise(join(directory, "index_bg.wasm"), onLine);
}

async function compileCrate(crate, directory, flags, { onLine, inherit = false, cargo = [] }) {
  const { workerBuild, wasmBindgen } = await cargoToolPaths();
  const env = {
    ...process.env,
    WASM_BINDGEN_BIN: wasmBindgen,
    ESBUILD_BIN: nodeBin("esbuild"),
    // The compiler's message is what helps; worker-build's own stack would push it off the screen.
    RUST_LIB_BACKTRACE: "0",
    ...(process.stdout.isTTY ? { CARGO_TERM_COLOR: "always" } : {}),
  };
  await run(workerBuild, [...flags, "--out-dir", relative(crate, directory), ".", ...cargo], { onLine, inherit, env, cwd: crate }, {
    what: `${crate === ROOT ? "the Worker" : relative(ROOT, crate)} did not compile for ${WASM_TARGET}`,
  });
}

/** The reader of documents, which the Worker instantiates for each one. */
const READER = { crate: "m365-reader", file: "reader.wasm", compiled: join(ROOT, "target", WASM_TARGET, "release", "m365_reader.wasm") };
/** What one document may fill; the isolate has 128 MB, for everybody's requests. */
const READER_MEMORY = 64 * 1024 * 1024;

// Always as a release: without optimisation it takes seconds for a page. `src/edge/documents.rs` says `m365_reader`, which
// worker-build's bundler leaves alone and could not import.
async function addReader(directory, onLine) {
  const args = ["rustc", "-p", READER.crate, "--lib", "--release", "--target", WASM_TARGET, "--crate-type", "cdylib"];
  const limit = ["--", "-C", `link-arg=--max-memory=${READER_MEMORY}`];
  await run("cargo", [...args, ...limit], { onLine, cwd: ROOT }, { what: `${READER.crate} did not compile for ${WASM_TARGET}` });
  const optimised = `${READER.compiled}.small`;
  if (!isNewer(optimised, READER.compiled)) {
    copyFileSync(READER.compiled, optimised);
    await optimise(optimised, onLine);
  }
  copyFileSync(optimised, join(directory, READER.file));
  const bundle = join(directory, "index.js");
  writeFileSync(bundle, `import m365_reader from "./${READER.file}";${readFileSync(bundle, "utf8")}`);
}

const isNewer = (file, than) => existsSync(file) && statSync(file).mtimeMs > statSync(than).mtimeMs;

// Our own step and not worker-build's, which would keep the function names: a seventh of the gzip size,
// good only for the stacks of traps.
async function optimise(file, onLine) {
  onLine?.("wasm-opt");
  const args = [file, "-o", file, "-Oz", "--strip-debug", ...WASM_FEATURES];
  await run(nodeBin("wasm-opt"), args, {}, { what: "wasm-opt refused the compiled Worker" });
}

/** The files of an upload with their sizes in bytes. */
export function uploadSizes(directory) {
  const files = ["index.js", "index_bg.wasm", READER.file].filter((name) => existsSync(join(directory, name)));
  return files.map((name) => {
    const bytes = readFileSync(join(directory, name));
    return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
  });
}
