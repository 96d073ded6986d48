// `npm run build`: the release build in build/ that `wrangler deploy` uploads, and its size.
// `npm run build -- --dev` makes the quick build in .dev/build that development and tests use;
// `--dev --conformance` one with the fixtures of the published conformance suite, which no release build takes.
import { relative } from "node:path";
import { argv } from "node:process";
import { command } from "./lib/process.mjs";
import { ROOT } from "./lib/project.mjs";
import { Failure, bold, say, step } from "./lib/terminal.mjs";
import { buildDirectory, buildWorker, uploadSizes } from "./lib/worker.mjs";
import { setUp } from "./setup.mjs";

const KB = 1024;
const inKb = (bytes) => `${(bytes / KB).toFixed(1)} KB`.padStart(11);

function printSizes(directory) {
  const files = uploadSizes(directory);
  const total = files.reduce((sum, file) => ({ name: "total", raw: sum.raw + file.raw, gzip: sum.gzip + file.gzip }));
  say(`\n${relative(ROOT, directory)}/`.padEnd(19) + "raw".padStart(11) + "gzip".padStart(11));
  for (const { name, raw, gzip } of files) say(`  ${name.padEnd(16)}${inKb(raw)}${inKb(gzip)}`);
  say(bold(`  ${"total".padEnd(16)}${inKb(total.raw)}${inKb(total.gzip)}`));
}

function chosenMode() {
  const [dev, conformance] = ["--dev", "--conformance"].map((flag) => argv.includes(flag));
  if (!conformance) return dev ? "dev" : "release";
  if (dev) return "conformance";
  throw new Failure("a release build takes no test fixtures", { fix: "npm run build -- --dev --conformance" });
}

command(async () => {
  const mode = chosenMode();
  await setUp();
  await step(`${mode} build of the Worker`, (note) => buildWorker(mode, { onLine: note }));
  printSizes(buildDirectory(mode));
});
