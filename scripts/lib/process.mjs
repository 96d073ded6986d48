// Child processes: run one to its end, or keep one and stop it. Every child is known here, so that
// whatever ends a command (its own end, a failure, Ctrl-C) leaves none behind. Node built-ins only.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { ROOT } from "./project.mjs";
import { Failure, report } from "./terminal.mjs";

/** A shell's convention: a program ended by signal n exits with 128 + n. */
const SIGNAL_EXIT = 128;
const STOP_GRACE_MS = 3_000;
const SWEEP_GRACE_MS = 2_000;
const SWEEP_POLL_MS = 100;
/** How much of a failed tool's output is worth showing. */
const KEPT_LINES = 60;
const running = new Set();
const endings = new Set();

process.on("exit", () => {
  for (const child of running) signal(child, "SIGKILL");
});

/**
 * Starts a program that is stopped when this process ends.
 * With `group` it leads a process group, and a signal reaches its descendants as well.
 */
export function start(command, args, { group = false, ...options } = {}) {
  const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], detached: group, ...options });
  child.group = group;
  running.add(child);
  child.exited = new Promise((resolve) => {
    child.once("close", (code, signalName) => resolve({ code, signal: signalName }));
    child.once("error", (error) => resolve({ code: null, error }));
  }).finally(() => running.delete(child));
  return child;
}

/** Calls `onLine` with each line of both outputs. */
export function eachLine(child, onLine) {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on("line", onLine);
  }
}

/** Asks a child to stop, insists after a grace, and returns when it has gone. */
export async function stop(child) {
  if (!running.has(child)) return;
  signal(child, "SIGTERM");
  const insist = setTimeout(() => signal(child, "SIGKILL"), STOP_GRACE_MS);
  await child.exited;
  clearTimeout(insist);
  if (child.group) await sweepGroup(child);
}

/** Has `ending` called when the command ends, for what is not a child of ours; returns how to take it back. */
export function atEnd(ending) {
  endings.add(ending);
  return () => endings.delete(ending);
}

async function stopAll() {
  await Promise.allSettled([...endings].map((ending) => ending()));
  await Promise.all([...running].map(stop));
}

/**
 * Ends whatever is left of a group whose leader has gone, and returns the names of what it ended.
 * What is about to end by itself (a browser's helpers) is given a moment.
 */
export async function sweepGroup(child) {
  for (let waited = 0; waited < SWEEP_GRACE_MS && groupMembers(child.pid).length > 0; waited += SWEEP_POLL_MS) {
    await pause(SWEEP_POLL_MS);
  }
  const members = groupMembers(child.pid);
  if (members.length > 0) signal(child, "SIGKILL");
  return members;
}

/** The programs of a process group. Without /proc (macOS) it is only known whether there is one. */
function groupMembers(group) {
  if (!existsSync("/proc/self/stat")) {
    try {
      return process.kill(-group, 0) ? ["unknown"] : [];
    } catch {
      return [];
    }
  }
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      // pid (name) state parent group …; the name may hold blanks and brackets. A zombie has ended.
      const [, name, state, , of] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/\((.*)\) (\S) (\d+) (\d+)/s);
      return Number(of) === group && state !== "Z" ? [`${name} (${pid})`] : [];
    } catch {
      return [];
    }
  });
}

function signal(child, name) {
  try {
    if (child.group) process.kill(-child.pid, name);
    else child.kill(name);
  } catch {
    // It has gone already.
  }
}

/**
 * Runs a program to its end and returns its exit code and output. `inherit` shows the output as it comes;
 * otherwise `onLine` sees each line. Ends it after `timeoutMs` with `timedOut: true`.
 */
export async function attempt(command, args, { onLine, inherit = false, timeoutMs, ...options } = {}) {
  // In a group, so that stopping cargo stops its compilers; what may ask questions stays with the terminal.
  const child = start(command, args, inherit ? { stdio: "inherit", ...options } : { group: true, ...options });
  const lines = [];
  eachLine(child, (line) => {
    lines.push(line);
    if (line.trim()) onLine?.(line);
  });
  let timedOut = false;
  const limit = timeoutMs && setTimeout(() => ((timedOut = true), signal(child, "SIGKILL")), timeoutMs);
  const { code, error } = await child.exited;
  clearTimeout(limit);
  return { code, error, timedOut, lines, output: lines.join("\n"), ok: code === 0 };
}

/** As `attempt`, and fails with `failure` and the end of the output unless the program succeeded. */
export async function run(command, args, options = {}, failure = {}) {
  const result = await attempt(command, args, options);
  if (result.ok) return result;
  const reason = result.timedOut ? "took too long" : (result.error?.code ?? `exit code ${result.code}`);
  throw new Failure(failure.what ?? `${command} ${args[0] ?? ""} failed (${reason})`, {
    output: result.lines.slice(-KEPT_LINES).join("\n"),
    ...failure,
  });
}

/** Runs a command's `main`: reports its failure, stops its children on every way out, sets the exit code. */
export async function command(main) {
  let ended = false;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // A second Ctrl-C changes nothing: it must not cut the stopping short.
    process.on(name, async () => {
      ended = true;
      // Set first: Miniflare answers signals too and may end the process before we do; "exit" then kills the rest.
      process.exitCode = SIGNAL_EXIT + constants.signals[name];
      await stopAll();
      process.exit();
    });
  }
  try {
    await main();
  } catch (error) {
    // The children that Ctrl-C ended are no failure to report.
    if (ended) return;
    report(error);
    process.exitCode = 1;
  }
  if (ended) return;
  await stopAll();
  // A watcher or an open connection must not keep a command alive that has done its work.
  process.exit();
}
