// Published programs as child processes, from the project's own node_modules, with an empty home.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeBin } from "../../../scripts/lib/project.mjs";
import { within } from "./until.mjs";

const LIMIT_MS = 60_000;

/** A folder of its own for a program's settings. */
export function emptyHome() {
  const path = mkdtempSync(join(tmpdir(), "m365-mcp-home-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a program of node_modules; `output()` is what it has written so far. */
export function startBin(name, args, { home, env = {} }) {
  const child = spawn(process.execPath, [nodeBin(name), ...args], {
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

/** Runs a program to its end; its standard output. */
export async function runBin(name, args) {
  const home = emptyHome();
  const program = startBin(name, args, { home: home.path });
  try {
    const { code } = await within(LIMIT_MS, `the end of ${name}`, program.exited);
    assert.equal(code, 0, `${name} failed:\n${program.texts.stderr}${program.texts.stdout}`);
    return program.texts.stdout;
  } finally {
    await program.stop();
    home.remove();
  }
}
