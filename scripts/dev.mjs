// `npm run dev`: the whole server on this machine, rebuilt when its sources change. Ctrl-C ends it.
// PORT chooses the Worker's port (the emulator takes the next one); `-- --fresh` forgets what was stored.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { argv, env } from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { buildEmulator } from "./lib/emulator.mjs";
import { requireFreePorts } from "./lib/ports.mjs";
import { command } from "./lib/process.mjs";
import { DEV_DIR } from "./lib/project.mjs";
import { devSecrets } from "./lib/secrets.mjs";
import { Failure, bold, dim, green, report, say, seconds, step, yellow } from "./lib/terminal.mjs";
import { buildWorker, inputFingerprint, isBuilt } from "./lib/worker.mjs";
import { startServer } from "./server.mjs";
import { setUp } from "./setup.mjs";

const DEFAULT_PORT = 8787;
const LAST_PORT = 65_534;
/** How often sources are looked at, and how long they must rest before a build starts. */
const POLL_MS = 400;

// What the Worker stored is kept between starts: an MCP client remembers its registration for months, and would
// meet an unknown client otherwise. The emulator forgets, so a client signs in once more after a restart,
// as it does when Microsoft ends a sign-in.
const STATE = join(DEV_DIR, "state");

command(async () => {
  const began = performance.now();
  const port = parsePort(env.PORT);
  await setUp();
  await requireFreePorts(port);
  if (argv.includes("--fresh")) rmSync(STATE, { recursive: true, force: true });
  await step("emulator", (note) => buildEmulator({ onLine: note }), { hint: "the first build takes about a minute" });
  if (!isBuilt("dev")) await step("Worker", (note) => buildWorker("dev", { onLine: note }), { hint: "the first build takes about a minute" });
  const server = await startServer({ port, persist: STATE, secrets: devSecrets(), log: printLine });
  printReady(server, began);
  await Promise.race([rebuildOnChange(server), partEnded(server), parentGone()]);
});

function parsePort(text) {
  const port = text === undefined || text === "" ? DEFAULT_PORT : Number(text);
  if (Number.isInteger(port) && port > 0 && port <= LAST_PORT) return port;
  throw new Failure(`PORT=${text} is not a port`, { fix: `a number from 1 to ${LAST_PORT}` });
}

function printReady({ url, emulatorUrl }, began) {
  const lines = [
    `${green("✓")} ${bold(`Ready on ${url}`)} ${dim(seconds(began))}`,
    "",
    `  MCP endpoint        ${url}/mcp   (older clients: ${url}/sse)`,
    `  Claude Code         claude mcp add --transport http m365 ${url}/mcp`,
    `  VS Code             .vscode/mcp.json: {"servers":{"m365":{"type":"http","url":"${url}/mcp"}}}`,
    `  stdio-only clients  npx mcp-remote ${url}/mcp`,
    `  Inspector           npx mcp-inspector, then Streamable HTTP, ${url}/mcp`,
    `  emulator            ${emulatorUrl}   (users, sent mail, gateway log, faults)`,
    "",
    dim("  Sources are watched. Ctrl-C stops everything."),
  ];
  say(lines.join("\n"));
}

// workerd prints a stack trace of its own whenever a client closes a connection first. It says nothing of the Worker.
const isClosedConnection = (message) => message.startsWith("kj::getCaughtExceptionAsKj()") && message.includes("disconnected:");

function printLine({ source, level, message }) {
  if (isClosedConnection(message)) return;
  say(`${dim(source.padEnd(8))} ${level === "error" || level === "warn" ? yellow(message) : message}`);
}

// Compared by polling, not fs.watch: on Linux, Node 20's recursive watch loses a file as soon as an editor
// saves it by renaming. Looking at some hundred files takes two milliseconds.
async function rebuildOnChange(server) {
  let built = inputFingerprint();
  let seen = built;
  for (;;) {
    await pause(POLL_MS);
    const now = inputFingerprint();
    const resting = now === seen;
    seen = now;
    if (!resting || now === built) continue;
    built = now;
    await rebuild(server);
  }
}

async function rebuild(server) {
  const began = performance.now();
  try {
    await buildWorker("dev");
    await server.restartWorker();
    say(`${green("✓")} rebuilt ${dim(seconds(began))}`);
  } catch (error) {
    report(error);
    say(yellow("  The Worker from before the change goes on running."));
  }
}

async function partEnded(server) {
  throw new Failure(`the ${await server.failed} ended by itself; its last lines are above`);
}

// A killed npm cannot pass a signal on; what it ran is then adopted by another process.
async function parentGone() {
  if (!env.npm_lifecycle_event) return new Promise(() => {});
  const parent = process.ppid;
  while (process.ppid === parent) await pause(POLL_MS);
}
