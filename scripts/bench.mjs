// `npm run bench`: set-up, then the benchmark, which builds and starts what it compares.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { command, run } from "./lib/process.mjs";
import { ROOT } from "./lib/project.mjs";
import { Failure } from "./lib/terminal.mjs";
import { setUp } from "./setup.mjs";

const BENCHMARK = join(ROOT, "tests", "bench", "run.mjs");

command(async () => {
  if (!existsSync(BENCHMARK)) throw new Failure("tests/bench/run.mjs does not exist yet");
  await setUp();
  await run(process.execPath, [BENCHMARK, ...argv.slice(2)], { inherit: true }, { what: "the benchmark failed" });
});
