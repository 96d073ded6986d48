// The whole server on this machine: emulator process and Worker in workerd, wired as in production.
// `npm run dev`, the runtime tests and the benchmark start it by `startServer`; wrangler.toml is the one
// source of the Worker's configuration, and what differs locally is listed in `localVars`.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildEmulator, startEmulator } from "./lib/emulator.mjs";
import { freePortPair } from "./lib/ports.mjs";
import { stop as stopProcess } from "./lib/process.mjs";
import { TEMPORARY_DIR, WRANGLER_TOML } from "./lib/project.mjs";
import { throwawaySecrets } from "./lib/secrets.mjs";
import { buildDirectory, buildWorker, isBuilt } from "./lib/worker.mjs";
import { startMiniflare, withoutUndefined } from "./lib/workerd.mjs";

export const TENANT_ID = "c0270500-0000-4000-8000-000000000001";
export const CLIENT_ID = "c0270500-0000-4000-8000-000000000002";
export const ACCESS_TEAM_DOMAIN = "contoso.cloudflareaccess.com";
export const ACCESS_AUD = "a".repeat(64);

/**
 * Starts emulator and Worker and returns when both answer.
 *
 * @param {object} [options]
 * @param {number} [options.port] the Worker's port; the emulator has the next one. Default: a free pair.
 * @param {"off" | "strict" | "browser"} [options.accessMode] default "off"
 * @param {Record<string, string | undefined>} [options.vars] added to the Worker's environment; undefined removes one
 * @param {Record<string, string>} [options.secrets] default: random ones
 * @param {"dev" | "conformance" | "release"} [options.build] which build to run, built first unless it is up to date; default "dev"
 * @param {string} [options.persist] folder for KV and objects; default: a temporary one, removed by `stop`
 * @param {(entry: LogEntry) => void} [options.log] called with each line as it comes
 * @param {boolean} [options.rateLimits] the rate limits of wrangler.toml; by default they are out of reach, because on
 *   one machine everybody has one address
 * @param {string} [options.today] the day around which the emulator's data lie, as 2026-03-02; default: today
 * @param {(options: object) => object} [options.alter] changes Miniflare's options, for measuring
 * @returns {Promise<Server>}
 *
 * @typedef {{source: "worker" | "emulator", level: string, message: string}} LogEntry
 * @typedef {object} Server
 * @property {string} url the Worker, `http://localhost:PORT`
 * @property {string} emulatorUrl
 * @property {number} port
 * @property {Record<string, string>} secrets
 * @property {number | undefined} workerdPid changes with `restartWorker`
 * @property {number | undefined} workerdStartedAt on the clock of `performance.now()`
 * @property {number} emulatorPid
 * @property {() => LogEntry[]} logs every line since the start
 * @property {(name?: string) => object[]} events the Worker's JSON lines, parsed; only those of one `event` name
 * @property {() => Promise<KVNamespace>} kv what the Worker has stored in `OAUTH_KV`, to look at and to damage
 * @property {(vars?: Record<string, string | undefined>) => Promise<void>} restartWorker loads the build anew in a new
 *   workerd, with these changes of its environment; stored state stays
 * @property {Promise<string>} failed settles when a part ends by itself, with its name
 * @property {() => Promise<void>} stop ends both processes and waits until they have gone
 */
export async function startServer(options = {}) {
  const { accessMode = "off", vars = {}, build = "dev", rateLimits = false, today, log, alter } = options;
  const [port, emulatorBinary] = await Promise.all([options.port ?? freePortPair(), readyBinary(), readyBuild(build)]);
  const secrets = options.secrets ?? throwawaySecrets();
  const temporary = options.persist ? undefined : temporaryFolder();
  const entries = [];
  const record = (entry) => (entries.push(entry), log?.(entry));
  const urls = { url: `http://localhost:${port}`, emulatorUrl: `http://localhost:${port + 1}` };

  const emulator = await startEmulator({
    binary: emulatorBinary,
    port: port + 1,
    workerUrl: urls.url,
    env: { ...emulatorEnv(secrets, urls.url), ...(today ? { EMULATOR_TODAY: today } : {}) },
    onLine: (message) => record({ source: "emulator", level: "info", message }),
  });
  const bindings = { ...localVars(port, accessMode), ...secrets, ...vars };
  const persist = options.persist ?? temporary;
  let worker;
  try {
    worker = await startWorker({ port, build, bindings, persist, rateLimits, record, alter });
  } catch (error) {
    await stopProcess(emulator);
    throw error;
  }

  let stopping = false;
  const failed = emulator.exited.then(() => (stopping ? new Promise(() => {}) : "emulator"));
  return {
    ...urls,
    port,
    secrets,
    failed,
    emulatorPid: emulator.pid,
    get workerdPid() {
      return worker.workerd.pid;
    },
    get workerdStartedAt() {
      return worker.workerd.startedAt;
    },
    logs: () => [...entries],
    events: (name) => workerEvents(entries).filter((event) => !name || event.event === name),
    kv: () => worker.kv("OAUTH_KV"),
    restartWorker: worker.restart,
    stop: async () => {
      stopping = true;
      await worker.stop();
      await stopProcess(emulator);
      if (temporary) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

function temporaryFolder() {
  mkdirSync(TEMPORARY_DIR, { recursive: true });
  return mkdtempSync(join(TEMPORARY_DIR, "state-"));
}

// Under `npm test` both are built once, before the test files start (scripts/test.mjs).
const readyBinary = () => process.env.M365_EMULATOR_BIN ?? buildEmulator();
async function readyBuild(mode) {
  if (!process.env.M365_PREBUILT?.split(",").includes(mode) && !isBuilt(mode)) await buildWorker(mode);
}

const emulatorEnv = (secrets, workerUrl) => ({
  EMULATOR_TENANT_ID: TENANT_ID,
  EMULATOR_CLIENT_ID: CLIENT_ID,
  EMULATOR_CLIENT_SECRET: secrets.MICROSOFT_CLIENT_SECRET,
  EMULATOR_CLIENT_CERTIFICATE: secrets.MICROSOFT_CLIENT_CERTIFICATE,
  EMULATOR_HANDLER_KEY: secrets.GRAPH_HANDLER_KEY,
  EMULATOR_REDIRECT_URI: `${workerUrl}/callback`,
});

/** What differs from wrangler.toml's `[vars]`; undefined takes a placeholder of that file away. */
function localVars(port, accessMode) {
  const guarded = accessMode !== "off";
  return {
    PUBLIC_URL: `http://localhost:${port}`,
    CLOUD: `local:${port + 1}`,
    ACCESS_MODE: accessMode,
    ACCESS_TEAM_DOMAIN: guarded ? ACCESS_TEAM_DOMAIN : undefined,
    ACCESS_AUD: guarded ? ACCESS_AUD : undefined,
    MICROSOFT_TENANT_ID: TENANT_ID,
    MICROSOFT_CLIENT_ID: CLIENT_ID,
    GRAPH_API_VERSION: "v1.0",
  };
}

/** Starts workerd by Miniflare, with the bindings of wrangler.toml and the AI binding's far end in the emulator. */
async function startWorker({ port, build, bindings, persist, rateLimits, record, alter = (options) => options }) {
  // Wrangler would warn that AI bindings cost money; here their far end is the emulator.
  process.env.WRANGLER_LOG ??= "error";
  // Imported here: set-up must be able to run before this package is installed.
  const wrangler = await import("wrangler");
  const emulator = `127.0.0.1:${port + 1}`;
  const { workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(WRANGLER_TOML, undefined, {
    remoteProxyConnectionString: new URL(`http://${emulator}`),
    // No `.env` or `.dev.vars` of a real deployment may leak into a local run.
    envFiles: [],
  });
  const directory = buildDirectory(build);
  const options = alter({
    ...workerOptions,
    bindings: withoutUndefined({ ...workerOptions.bindings, ...bindings }),
    ratelimits: rateLimits ? workerOptions.ratelimits : outOfReach(workerOptions.ratelimits),
    // Without modulesRoot workerd refuses modules outside the working directory.
    modulesRoot: directory,
    modules: [
      { type: "ESModule", path: join(directory, "index.js") },
      { type: "CompiledWasm", path: join(directory, "index_bg.wasm") },
      { type: "CompiledWasm", path: join(directory, "reader.wasm") },
    ],
    // Every `fetch` of the Worker ends at the emulator, which answers for each host by its name.
    outboundService: { external: { address: emulator, http: {} } },
    // Otherwise Miniflare fetches the `cf` object from the network.
    cf: false,
    host: "127.0.0.1",
    port,
    defaultPersistRoot: persist,
    handleRuntimeStdio: (stdout, stderr) => [stdout, stderr].forEach((stream) => readLog(stream, record)),
  });
  return startMiniflare(options);
}

/** The same bindings, so that the same code runs, with limits that nobody meets. */
const outOfReach = (limits) =>
  Object.fromEntries(
    Object.entries(limits).map(([name, { simple, ...rest }]) => [name, { ...rest, simple: { ...simple, limit: 1_000_000_000 } }]),
  );

/** One structured line per console call; what is not JSON comes from workerd itself. */
function readLog(stream, record) {
  createInterface({ input: stream }).on("line", (line) => {
    if (line.trim()) record({ source: "worker", ...parseLogLine(line) });
  });
}

function parseLogLine(line) {
  try {
    const { level, message } = JSON.parse(line);
    return { level, message };
  } catch {
    return { level: "error", message: line };
  }
}

function workerEvents(entries) {
  return entries.flatMap(({ source, message }) => {
    if (source !== "worker" || !message.startsWith("{")) return [];
    try {
      return [JSON.parse(message)];
    } catch {
      return [];
    }
  });
}
