// Builds and starts the floor Worker (tests/bench/floor) with an emulator of its own, and signs somebody in there.
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { CLIENT_ID, TENANT_ID } from "../../../scripts/server.mjs";
import { startEmulator } from "../../../scripts/lib/emulator.mjs";
import { freePortPair } from "../../../scripts/lib/ports.mjs";
import { stop as stopProcess } from "../../../scripts/lib/process.mjs";
import { DEV_DIR, ROOT } from "../../../scripts/lib/project.mjs";
import { buildReleaseOf } from "../../../scripts/lib/worker.mjs";
import { startMiniflare } from "../../../scripts/lib/workerd.mjs";

const CRATE = join(ROOT, "tests", "bench", "floor");
const BUILD = join(DEV_DIR, "bench-floor");
const USER = "adele@contoso.example";
const SCOPES = "openid profile offline_access https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read";

export const buildFloor = (onLine) => buildReleaseOf(CRATE, BUILD, { onLine });

/** Starts both, the emulator from `binary`; `graphToken` is one that this emulator's Graph accepts, `target` where load goes. */
export async function startFloor(binary) {
  const [port, direct] = [await freePortPair(), await freePortPair()];
  const secrets = { client: randomBytes(32).toString("hex"), handler: randomBytes(32).toString("hex") };
  const callback = `http://localhost:${port}/callback`;
  const emulator = await startEmulator({
    binary,
    port: port + 1,
    workerUrl: `http://localhost:${port}`,
    env: {
      EMULATOR_TENANT_ID: TENANT_ID,
      EMULATOR_CLIENT_ID: CLIENT_ID,
      EMULATOR_CLIENT_SECRET: secrets.client,
      EMULATOR_HANDLER_KEY: secrets.handler,
      EMULATOR_REDIRECT_URI: callback,
    },
    onLine: () => {},
  });
  const worker = await startWorker(port, direct, secrets.handler);
  const graphToken = await signInAtEntra(port + 1, callback, secrets.client);
  // Not a copy of `worker`: it has getters.
  return Object.assign(worker, {
    target: { port: direct, host: `localhost:${port}` },
    graphToken,
    stopAll: async () => {
      await worker.stop();
      await stopProcess(emulator);
    },
  });
}

async function startWorker(port, direct, handlerKey) {
  const emulator = `127.0.0.1:${port + 1}`;
  const options = {
    name: "floor",
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["global_fetch_strictly_public"],
    modulesRoot: BUILD,
    modules: [
      { type: "ESModule", path: join(BUILD, "index.js") },
      { type: "CompiledWasm", path: join(BUILD, "index_bg.wasm") },
    ],
    durableObjects: { FLOOR_OBJECT: { className: "FloorObject", useSQLite: true } },
    kvNamespaces: { FLOOR_KV: "floor" },
    ai: { binding: "AI", remoteProxyConnectionString: new URL(`http://${emulator}`) },
    bindings: { GRAPH_HANDLER_KEY: handlerKey },
    outboundService: { external: { address: emulator, http: {} } },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: direct }],
    cf: false,
    host: "127.0.0.1",
    port,
    handleRuntimeStdio: (stdout, stderr) => [stdout, stderr].forEach((stream) => stream.resume()),
  };
  const { workerd, restart, stop } = await startMiniflare(options);
  return {
    get workerdPid() {
      return workerd.pid;
    },
    get workerdStartedAt() {
      return workerd.startedAt;
    },
    restartWorker: restart,
    stop,
  };
}

/** The authorization code flow at the emulated Entra, as the Worker would do it. */
async function signInAtEntra(emulatorPort, callback, clientSecret) {
  const entra = `http://localhost:${emulatorPort}/login.microsoftonline.com/${TENANT_ID}/oauth2/v2.0`;
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: callback,
    response_type: "code",
    scope: SCOPES,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    // The emulator takes this for the choice on its account page.
    user: USER,
  });
  const redirect = await fetch(`${entra}/authorize?${query}`, { redirect: "manual" });
  const code = new URL(redirect.headers.get("location")).searchParams.get("code");
  const form = { grant_type: "authorization_code", code, redirect_uri: callback, code_verifier: verifier };
  const answer = await fetch(`${entra}/token`, {
    method: "POST",
    body: new URLSearchParams({ ...form, client_id: CLIENT_ID, client_secret: clientSecret }),
  });
  const body = await answer.json();
  if (!body.access_token) throw new Error(`the emulated Entra refused the floor's sign-in: ${JSON.stringify(body)}`);
  return body.access_token;
}
