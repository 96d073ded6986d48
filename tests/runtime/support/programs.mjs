// Published programs as child processes, with an empty home; those of npm from the project's own node_modules.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { nodeBin } from "../../../scripts/lib/project.mjs";
import { within } from "./until.mjs";

const LIMIT_MS = 60_000;

/** A folder of its own for a program's settings. */
export function emptyHome() {
  const path = mkdtempSync(join(tmpdir(), "m365-mcp-home-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Browsers in `home` that only write down where they were sent: what makes a program take them, and the last address. */
export function recordingBrowser(home) {
  const record = join(home, "opened");
  for (const name of ["browser", "open", "xdg-open"]) {
    const path = join(home, name);
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@" >>'${record}'\n`);
    chmodSync(path, 0o755);
  }
  const env = { BROWSER: join(home, "browser"), PATH: home + delimiter + process.env.PATH };
  const opened = () => (existsSync(record) ? readFileSync(record, "utf8") : "").split("\n").findLast((line) => line.startsWith("http"));
  return { env, opened };
}

/** Starts a program; `texts` is what it has written so far. */
export function startProgram(command, args, { home, env = {} }) {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: home, USERPROFILE: home, NO_COLOR: "1", ...env },
  });
  const texts = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) child[stream].setEncoding("utf8").on("data", (text) => (texts[stream] += text));
  const exited = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  const stop = async () => {
    child.kill();
    await exited;
  };
  return { child, texts, exited, stop };
}

/** Starts a program of node_modules. */
export const startBin = (name, args, options) => startProgram(process.execPath, [nodeBin(name), ...args], options);

/** A program's standard output, once it has ended well. */
export async function outputOf(name, program) {
  try {
    const { code } = await within(LIMIT_MS, `the end of ${name}`, program.exited);
    assert.equal(code, 0, `${name} failed:\n${program.texts.stderr}${program.texts.stdout}`);
    return program.texts.stdout;
  } finally {
    await program.stop();
  }
}
