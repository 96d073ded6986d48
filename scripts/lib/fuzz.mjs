// Coverage-guided fuzzing on the stable toolchain: builds tests/fuzz with LLVM's coverage counters and runs its targets.
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { attempt, run } from "./process.mjs";
import { DEV_DIR, ROOT } from "./project.mjs";
import { Failure, bold, say, step, yellow } from "./terminal.mjs";

const CORPUS = join(ROOT, "tests", "fuzz", "corpus");
/** What a longer run learnt, kept from run to run on this machine only. */
const LEARNT = join(DEV_DIR, "fuzz");
/** The instrumented build shares nothing with the others. */
const TARGET_DIR = join(ROOT, "target", "fuzz");
/** What cargo-fuzz would set, less its sanitizer, which only a nightly compiler has: our code is safe Rust. */
const FLAGS = [
  "--cfg fuzzing",
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Ccodegen-units=1",
];
const HOW = "install one (Debian: apt-get install g++)";
/** No input may take longer: a parser that hangs is a finding. */
const INPUT_LIMIT_S = 10;
/** Beyond the time that was asked for, for reading the corpus and the last input. */
const GRACE_MS = 60_000;

export const fuzzTargets = () => readdirSync(CORPUS).sort();

/**
 * Runs each target for `seconds`. Without a C++ compiler it says so aloud and skips, or fails where `required`.
 * @returns {Promise<string | undefined>} what is to be said of the run in a summary
 */
export async function fuzz({ targets = fuzzTargets(), seconds, required = false }) {
  if (!(await attempt("c++", ["--version"])).ok) return skip(required);
  const binary = await step("fuzz targets", (note) => build(note), { hint: "compiles everything once more, two minutes" });
  for (const target of targets) await fuzzTarget(binary, target, seconds);
}

function skip(required) {
  if (required) throw new Failure("no C++ compiler was found", { why: "libFuzzer is C++", fix: HOW });
  say(bold(yellow(`\n!!! FUZZING IS SKIPPED: no C++ compiler was found: ${HOW}\n`)));
  return "skipped: no C++ compiler";
}

async function build(note) {
  const { output } = await attempt("rustc", ["-vV"]);
  // Named, so that build scripts and procedural macros are built without the counters.
  const host = output.match(/^host: (.*)$/m)?.[1];
  let path;
  const read = (line) => {
    if (!line.startsWith("{")) return note(line);
    const { executable, target } = JSON.parse(line);
    if (executable && target.name === "m365-fuzz") path = executable;
  };
  const env = { ...process.env, RUSTFLAGS: FLAGS.join(" "), CARGO_PROFILE_DEV_OPT_LEVEL: "1" };
  const args = ["build", "-p", "m365-fuzz", "--target", host, "--target-dir", TARGET_DIR];
  await run("cargo", [...args, "--message-format=json-render-diagnostics"], { onLine: read, env }, {
    what: "the fuzz targets did not compile",
  });
  return path;
}

async function fuzzTarget(binary, target, seconds) {
  const learnt = join(LEARNT, target);
  mkdirSync(learnt, { recursive: true });
  const args = [`-max_total_time=${seconds}`, `-timeout=${INPUT_LIMIT_S}`, `-artifact_prefix=${learnt}-`, learnt, join(CORPUS, target)];
  const env = { ...process.env, M365_FUZZ_TARGET: target };
  const { lines } = await run(binary, args, { env, timeoutMs: seconds * 1000 + GRACE_MS }, {
    what: `the fuzz target ${target} found an input that breaks a rule`,
    fix: `look at it: M365_FUZZ_TARGET=${target} cargo run -p m365-fuzz -- <the file named above>`,
  });
  const coverage = (word) => Number(lines.find((line) => line.includes(word))?.match(/cov: (\d+)/)?.[1]);
  const [first, last] = [coverage("INITED"), coverage("DONE")];
  // A build without its counters would find nothing for ever and say that all is well.
  if (!(first > 0 && last >= first)) throw new Failure(`the fuzz target ${target} measured no coverage`);
  const inputs = lines.find((line) => line.includes("DONE"))?.match(/#(\d+)/)?.[1];
  say(`  ${target.padEnd(14)}${inputs.padStart(9)} inputs, coverage ${first} → ${last}`);
}
