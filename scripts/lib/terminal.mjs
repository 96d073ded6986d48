// What a person sees while something runs: one line when a step begins, a heartbeat while
// it is long, one line with its time when it ends. Also the one way in which a command fails. Node built-ins only.

const HEARTBEAT_MS = 10_000;
const SILENT_MS = 1_000;
const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

export const say = (text = "") => console.log(text);
export const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/** A failure that a person can mend: what is missing, why it matters, how to get it. */
export class Failure extends Error {
  constructor(what, { why, fix, output } = {}) {
    super(what);
    this.name = "Failure";
    Object.assign(this, { why, fix, output });
  }
}

/** Prints a failure in full; unknown errors keep their stack. */
export function report(error) {
  if (!(error instanceof Failure)) return console.error(red("✗ ") + (error?.stack ?? String(error)));
  if (error.output) console.error(error.output.trimEnd() + "\n");
  console.error(red(`✗ ${error.message}`));
  if (error.why) console.error(`  why: ${error.why}`);
  if (error.fix) console.error(`  fix: ${[error.fix].flat().join("\n       ")}`);
}

/**
 * Runs `work(note)` under a name. `note` takes the last line of a tool's output for the heartbeat. What ends
 * within a second prints nothing: a step that was done already is no news. `hint` says what to expect.
 * @template T
 * @param {string} name
 * @param {(note: (line: string) => void) => Promise<T>} work
 * @param {{hint?: string}} [options]
 * @returns {Promise<T>}
 */
export async function step(name, work, { hint } = {}) {
  const began = performance.now();
  let last = "";
  let announced = false;
  const announce = setTimeout(() => {
    announced = true;
    say(`${dim("•")} ${name}${hint ? dim(` (${hint})`) : ""}`);
  }, SILENT_MS);
  const heartbeat = setInterval(() => {
    say(dim(`  … ${name} ${seconds(began)}${last ? `: ${last.slice(0, 70)}` : ""}`));
  }, HEARTBEAT_MS);
  try {
    const result = await work((line) => (last = line.trim()));
    if (announced) say(`${green("✓")} ${name} ${dim(seconds(began))}`);
    return result;
  } catch (error) {
    say(`${red("✗")} ${name} ${dim(seconds(began))}`);
    throw error;
  } finally {
    clearTimeout(announce);
    clearInterval(heartbeat);
  }
}
