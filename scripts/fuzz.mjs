// `npm run fuzz`: fuzzes every parser that reads what strangers send. `npm run fuzz -- form jwt --seconds=600` runs only
// those targets, for so long each.
import { argv } from "node:process";
import { fuzz, fuzzTargets } from "./lib/fuzz.mjs";
import { command } from "./lib/process.mjs";
import { ensureRust } from "./lib/rust.mjs";
import { Failure } from "./lib/terminal.mjs";

const DEFAULT_SECONDS = 60;

command(async () => {
  const args = argv.slice(2);
  const named = args.filter((arg) => !arg.startsWith("--seconds="));
  const seconds = Number(args.find((arg) => arg.startsWith("--seconds="))?.split("=")[1] ?? DEFAULT_SECONDS);
  const unknown = named.filter((name) => !fuzzTargets().includes(name));
  if (unknown.length > 0 || !(Number.isInteger(seconds) && seconds > 0)) {
    const fix = `npm run fuzz -- [--seconds=60] [${fuzzTargets().join("] [")}]`;
    throw new Failure(`not understood: ${unknown.join(", ") || "--seconds"}`, { fix });
  }
  await ensureRust();
  await fuzz({ targets: named.length > 0 ? named : undefined, seconds, required: true });
});
