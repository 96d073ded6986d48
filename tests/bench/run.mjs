// The benchmark (`npm run bench`): the release build in workerd with the emulator, beside a floor that does the least
// that the same platform can do, in the same run. It prints a table and what misses its aim; it is not a timed test.
//   --quick            shorter slices and no waiting for left streams: under 90 s once everything is built
//   --only=A,B         only these cases (names as in the table), and nothing else
import { availableParallelism, loadavg } from "node:os";
import { argv, versions } from "node:process";
import { buildEmulator } from "../../scripts/lib/emulator.mjs";
import { freePortPair } from "../../scripts/lib/ports.mjs";
import { command } from "../../scripts/lib/process.mjs";
import { Failure, dim, say, seconds, step } from "../../scripts/lib/terminal.mjs";
import { buildDirectory, buildWorker, isBuilt, uploadSizes } from "../../scripts/lib/worker.mjs";
import { startServer } from "../../scripts/server.mjs";
import { Emulator } from "../runtime/support/emulator.mjs";
import { CASES, GET_EMAILS, MAILS_PER_ANSWER } from "./lib/cases.mjs";
import { rpc, signInClients } from "./lib/clients.mjs";
import { measureColdStart } from "./lib/cold.mjs";
import { CONCURRENCIES, compare, measureParts } from "./lib/compare.mjs";
import { buildFloor, startFloor } from "./lib/floor.mjs";
import { countKvOperations } from "./lib/kv.mjs";
import { connectTo } from "./lib/load.mjs";
import { measureSessions } from "./lib/memory.mjs";
import * as report from "./lib/report.mjs";
import { requireProc } from "./lib/usage.mjs";

const FULL = { rounds: 4, sliceMs: 700, warmMs: 400, coldStarts: 5, waitForClose: true };
const QUICK = { rounds: 2, sliceMs: 400, warmMs: 200, coldStarts: 3, waitForClose: false };
const plan = argv.includes("--quick") ? QUICK : FULL;
const PARTS_CONCURRENCY = 8;
const MCP_MESSAGES = ["tools/list", "getEmails", "open a session"];

command(async () => {
  requireProc();
  const chosen = chooseCases();
  await buildAll();
  const began = performance.now();
  say(dim(`Node ${versions.node}, ${availableParallelism()} processors, load average ${loadavg()[0].toFixed(1)} before the start`));
  const world = await startWorld();
  const aims = new report.Aims();
  await compareAll(chosen, world, aims);
  if (chosen.length === CASES.length) await measureTheRest(world, aims);
  await Promise.all([world.server.stop(), world.floor.stopAll()]);
  aims.print();
  say(dim(`\nmeasured in ${seconds(began)}`));
});

function chooseCases() {
  const only = argv.find((argument) => argument.startsWith("--only="))?.slice("--only=".length).split(",");
  const unknown = only?.filter((name) => !CASES.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Failure(`no such case: ${unknown.join(", ")}`, { fix: `one of: ${CASES.map(({ name }) => name).join(", ")}` });
  }
  return only ? CASES.filter(({ name }) => only.includes(name)) : CASES;
}

async function buildAll() {
  if (!isBuilt("release")) await step("release build of the Worker", (note) => buildWorker("release", { onLine: note }));
  await step("the floor", buildFloor);
  // `startServer` takes this one; the everyday build is so slow that it would be what is measured.
  process.env.M365_EMULATOR_BIN = await step("emulator, optimised", (note) => buildEmulator({ onLine: note, profile: "load" }));
}

/** Product and floor, signed in: `clients` of the product, and the `loop` that the floor runs for `getEmails`. */
async function startWorld() {
  const direct = await freePortPair();
  const alter = (options) => ({ ...options, unsafeDirectSockets: [{ host: "127.0.0.1", port: direct }] });
  const server = await startServer({ build: "release", alter });
  server.target = { port: direct, host: `localhost:${server.port}` };
  const floor = await startFloor(process.env.M365_EMULATOR_BIN);
  const link = connectTo(server.target, 1);
  const clients = await step("signing in", () => signInClients(server, link.send, Math.max(...CONCURRENCIES)));
  const path = await graphPathOf(server, link.send, clients[0]);
  link.close();
  return { server, floor, clients, loop: { path, token: floor.graphToken } };
}

/** What Graph is asked for by `getEmails`, after a look at whether the answer is the right one. */
async function graphPathOf(server, send, client) {
  const { bytes } = await send(rpc(client, "tools/call", GET_EMAILS));
  const { result } = JSON.parse(bytes);
  const lists = result?.isError ? [] : Object.values(JSON.parse(result.content[0].text)).filter(Array.isArray);
  if (!lists.some((list) => list.length === MAILS_PER_ANSWER)) {
    throw new Failure(`getEmails gave no ${MAILS_PER_ANSWER} mails`, { output: bytes.toString() });
  }
  const calls = await new Emulator(server.emulatorUrl).graphCalls();
  const { path, query } = calls.findLast((call) => call.path.includes("messages"));
  return query ? `${path}?${query}` : path;
}

async function compareAll(cases, world, aims) {
  report.printComparisonHead();
  for (const benchCase of cases) {
    for (const connections of CONCURRENCIES) {
      report.printComparison(benchCase, connections, await compare(benchCase, connections, world, plan), aims);
    }
  }
}

async function measureTheRest({ server, floor, clients }, aims) {
  report.printParts(await measureParts(floor, PARTS_CONCURRENCY, plan), PARTS_CONCURRENCY);
  report.printKv(await countKvOperations(), MCP_MESSAGES, aims);
  const metadata = CASES[0].request();
  const product = await measureColdStart(server, metadata, plan.coldStarts);
  report.printColdStart(product, await measureColdStart(floor, { path: "/json" }, plan.coldStarts), plan.coldStarts);
  report.printMemory(await measureSessions(server, clients, plan), aims);
  report.printUpload(uploadSizes(buildDirectory("release")), aims);
}
