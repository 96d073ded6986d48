// `npm test`: formatting, lints, native tests, some fuzzing, then the same server in workerd with real clients and a browser.
// Every part runs even when an earlier one failed; the end says which did. `npm test -- fmt unit` runs only
// the parts named. CI=true makes a missing browser, Python or C++ compiler a failure and refuses a changed Cargo.lock.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { argv, env } from "node:process";
import { ensureBrowser } from "./lib/browser.mjs";
import { buildEmulator } from "./lib/emulator.mjs";
import { fuzz } from "./lib/fuzz.mjs";
import { command, run, start, sweepGroup } from "./lib/process.mjs";
import { ROOT, TEMPORARY_DIR, WASM_TARGET } from "./lib/project.mjs";
import { ensurePython } from "./lib/python.mjs";
import { buildRmcpClient } from "./lib/rmcp.mjs";
import { ensureRustComponents } from "./lib/rust.mjs";
import { Failure, bold, green, red, report, say, seconds, step, yellow } from "./lib/terminal.mjs";
import { buildWorker, isBuilt } from "./lib/worker.mjs";
import { setUp } from "./setup.mjs";

/** What the server does, and what it refuses; both run against workerd. */
const RUNTIME_TESTS = ["runtime", "hostile"].map((name) => join(ROOT, "tests", name));
/** The Workers that these run. */
const BUILDS = ["dev", "conformance"];
/** Enough to catch a parser that broke; `npm run fuzz` looks longer. */
const FUZZ_SECONDS = 5;
/** No single test file takes longer; a hanging one must not hold CI for hours. */
const FILE_LIMIT_MS = 600_000;
const isCi = env.CI === "true";
const locked = isCi ? ["--locked"] : [];
const strict = ["--", "-D", "warnings"];

const cargo = (...args) => run("cargo", args, { inherit: true, group: true }, { what: `cargo ${args[0]} found something` });

/** In this order: what answers fastest comes first. */
const PARTS = {
  fmt: () => cargo("fmt", "--all", "--check"),
  clippy: () => cargo("clippy", ...locked, "--workspace", "--all-targets", ...strict),
  // All targets would compile the tests for Wasm, where their native dependencies do not exist.
  "clippy-wasm": () => cargo("clippy", ...locked, "--target", WASM_TARGET, "--lib", ...strict),
  "clippy-conformance": () => cargo("clippy", ...locked, "--lib", "--features", "conformance", ...strict),
  unit: () => cargo("test", ...locked, "--workspace"),
  fuzz: () => fuzz({ seconds: FUZZ_SECONDS, required: isCi }),
  runtime: testInRuntime,
};

command(async () => {
  const chosen = chooseParts(argv.slice(2));
  await setUp();
  await ensureRustComponents();
  const results = [];
  for (const name of chosen) results.push(await runPart(name));
  printSummary(results);
  if (results.some(({ error }) => error)) process.exitCode = 1;
});

function chooseParts(names) {
  const unknown = names.filter((name) => !(name in PARTS));
  if (unknown.length === 0) return names.length > 0 ? names : Object.keys(PARTS);
  throw new Failure(`no such part: ${unknown.join(", ")}`, { fix: `npm test -- ${Object.keys(PARTS).join(" ")}` });
}

async function runPart(name) {
  const began = performance.now();
  say(bold(`\n── ${name}`));
  try {
    const note = await PARTS[name]();
    return { name, time: seconds(began), note: typeof note === "string" ? note : undefined };
  } catch (error) {
    report(error);
    return { name, time: seconds(began), error };
  }
}

function printSummary(results) {
  say(bold("\n── summary"));
  for (const { name, time, error, note } of results) {
    const mark = error ? red("✗") : note ? yellow("–") : green("✓");
    say(`${mark} ${name.padEnd(14)}${time.padStart(9)}${error || note ? `  ${error?.message ?? note}` : ""}`);
  }
}

/** Builds once for all test files, then runs them in a process group, so that nothing they start outlives them. */
async function testInRuntime() {
  const files = RUNTIME_TESTS.flatMap(testFilesIn);
  const emulator = await step("emulator", (note) => buildEmulator({ onLine: note }));
  for (const mode of BUILDS) {
    if (!isBuilt(mode)) await step(`Worker, ${mode}`, (note) => buildWorker(mode, { onLine: note }));
  }
  const rmcp = await step("client by rmcp", (note) => buildRmcpClient({ onLine: note }));
  const python = await ensurePython({ required: isCi });
  const browser = await ensureBrowser({ required: isCi });
  const found = { ...(browser ? { M365_CHROMIUM: browser } : {}), ...(python ? { M365_PYTHON: python } : {}) };
  const child = start(
    process.execPath,
    ["--test", `--test-timeout=${FILE_LIMIT_MS}`, "--test-reporter=spec", ...files],
    {
      group: true,
      stdio: "inherit",
      env: { ...env, M365_PREBUILT: BUILDS.join(","), M365_EMULATOR_BIN: emulator, M365_RMCP_BIN: rmcp, ...found },
    },
  );
  const { code } = await child.exited;
  const leftovers = await sweepGroup(child);
  rmSync(TEMPORARY_DIR, { recursive: true, force: true });
  if (code !== 0) throw new Failure("runtime tests failed");
  if (leftovers.length > 0) throw new Failure(`the runtime tests left processes behind, now ended: ${leftovers.join(", ")}`);
}

function testFilesIn(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".test.mjs"));
  return names.sort().map((name) => join(folder, name));
}
