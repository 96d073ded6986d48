// One case at one concurrency: product and floor in short slices by turns, so that what else the machine does meets
// both alike. CPU is workerd's own, from /proc; the load generator and the emulators are other processes.
import { floorOperation } from "./cases.mjs";
import { connectTo, loadFor, percentile } from "./load.mjs";
import { cpuMs } from "./usage.mjs";

export const CONCURRENCIES = [1, 8, 32];

/**
 * @param {import("./cases.mjs").Case} benchCase
 * @param {number} connections
 * @param {object} world `server`, `floor`, `clients` and the floor's `loop`
 * @param {{rounds: number, sliceMs: number, warmMs: number}} plan
 * @returns {Promise<{product: Measured, floor: Measured, ratio: number, spread: [number, number]}>}
 *
 * @typedef {{perSecond: number, p50: number, p99: number, cpu: number}} Measured times in milliseconds
 */
export async function compare(benchCase, connections, world, plan) {
  const clients = world.clients.slice(0, connections);
  const sides = [
    makeSide(world.floor, connections, floorOperation(benchCase, world.loop)),
    makeSide(world.server, connections, benchCase.product),
  ];
  for (const side of sides) await loadFor(plan.warmMs, clients, side.operation);
  for (let round = 0; round < plan.rounds; round += 1) {
    const order = round % 2 === 0 ? sides : [...sides].reverse();
    for (const side of order) side.slices.push(await measure(side, clients, plan.sliceMs));
  }
  for (const { link } of sides) link.close();
  const [floor, product] = sides.map(summarise);
  const ratios = sides[0].slices.map((slice, round) => cpuOf(sides[1].slices[round]) / cpuOf(slice));
  return { product, floor, ratio: product.cpu / floor.cpu, spread: [Math.min(...ratios), Math.max(...ratios)] };
}

function makeSide(part, connections, operation) {
  const link = connectTo(part.target, connections);
  return { link, part, slices: [], operation: (client, index) => operation(link.send, client, index) };
}

async function measure({ part, operation }, clients, sliceMs) {
  const pid = part.workerdPid;
  const before = cpuMs(pid);
  const load = await loadFor(sliceMs, clients, operation);
  return { ...load, cpu: cpuMs(pid) - before };
}

const cpuOf = ({ cpu, operations }) => cpu / operations;

function summarise({ slices }) {
  const total = (pick) => slices.reduce((sum, slice) => sum + pick(slice), 0);
  const latencies = slices.flatMap((slice) => slice.latencies);
  const operations = total((slice) => slice.operations);
  return {
    perSecond: operations / total((slice) => slice.seconds),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpu: total((slice) => slice.cpu) / operations,
  };
}

/** The floor's own steps: what each adds is the platform's, and nobody's code can take it away. */
const PARTS = [
  { name: "trivial Worker", request: () => ({ path: "/json" }) },
  { name: "… that reads a body of 100 bytes", request: () => ({ method: "POST", path: "/part/body", body: "x".repeat(100) }) },
  { name: "… that writes one log line", request: () => ({ path: "/part/log" }) },
  { name: "… that reads one KV value (simulated within workerd)", request: () => ({ path: "/part/kv" }) },
  { name: "trivial object", request: (index) => ({ path: `/object/${index}` }) },
  { name: "… that writes one row", request: (index) => ({ path: `/stored/${index}` }) },
];

/** CPU of workerd for each of the floor's steps, at one concurrency. */
export async function measureParts(floor, connections, { rounds, sliceMs, warmMs }) {
  const clients = Array(connections).fill(undefined);
  const sides = PARTS.map(({ request }) => makeSide(floor, connections, (send, _, index) => send(request(index))));
  for (const side of sides) await loadFor(warmMs, clients, side.operation);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) side.slices.push(await measure(side, clients, sliceMs));
  }
  for (const { link } of sides) link.close();
  return sides.map((side, index) => ({ name: PARTS[index].name, cpu: summarise(side).cpu }));
}
