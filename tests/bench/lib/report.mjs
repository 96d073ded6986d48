// The benchmark's output: tables, and for each aim whether it is met.
import { bold, dim, green, red, say } from "../../../scripts/lib/terminal.mjs";
import { HOW } from "./kv.mjs";
import { SESSIONS } from "./memory.mjs";

const KIB = 1024;
const MIB = KIB * KIB;
export const SESSIONS_AIM_MIB = 150;
export const UPLOAD_AIM_KIB = 450;
/** Memory counts as flat when the second time needs at most this much more. */
export const FLAT = 1.1;

const inMib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;
const inMs = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
const verdict = (met) => (met ? green("met") : red("missed"));

/** A line per aim; printed again at the end. */
export class Aims {
  #lines = [];

  judge(text, met) {
    this.#lines.push(`${text.padEnd(78)} ${verdict(met)}`);
    return verdict(met);
  }

  print() {
    say(bold("\nAims"));
    for (const line of this.#lines) say(`  ${line}`);
  }
}

const COLUMNS = [14, 5, 9, 8, 8, 9, 9, 8, 8, 9, 7, 13, 6];
const row = (cells) => cells.map((cell, index) => (index === 0 ? cell.padEnd(COLUMNS[0]) : cell.padStart(COLUMNS[index]))).join("");

export function printComparisonHead() {
  say(bold("\nEach operation beside its floor: times in ms, CPU of workerd per operation in ms"));
  say(dim("floor: a trivial Worker for metadata and tools/list, a trivial object for refresh and sessions, a bare gateway loop for getEmails;"));
  say(dim("it gets the same headers, and no body. Opening a session is two requests (initialize, initialized), its floor is one."));
  say(row(["", "", "", "Worker", "", "", "", "floor"]));
  say(row(["", "conc", "ops/s", "p50", "p99", "CPU", "ops/s", "p50", "p99", "CPU", "ratio", "per round", "aim"]));
}

export function printComparison(benchCase, connections, { product, floor, ratio, spread }, aims) {
  const side = ({ perSecond, p50, p99, cpu }) => [perSecond.toFixed(0), inMs(p50), inMs(p99), cpu.toFixed(3)];
  const { name, aim } = benchCase;
  const range = spread.map((value) => value.toFixed(1)).join("–");
  const cells = [name, String(connections), ...side(product), ...side(floor), ratio.toFixed(2), range, aim ? `≤ ${aim}` : "–"];
  const judged = aim ? aims.judge(`${name} ≤ ${aim} × the floor's CPU, concurrency ${connections}: ${ratio.toFixed(2)}`, ratio <= aim) : "";
  say(`${row(cells)} ${judged}`);
}

export function printParts(parts, connections) {
  say(bold("\nWhat the platform's own steps cost") + dim(` (floor, concurrency ${connections}, CPU in ms)`));
  for (const { name, cpu } of parts) say(`  ${name.padEnd(56)}${cpu.toFixed(3)}`);
}

/** `perMessage` are the names of the steps that are one MCP message of a client that is signed in. */
export function printKv(counts, perMessage, aims) {
  say(bold("\nKV operations of one step") + dim(` (${HOW})`));
  for (const { step, operations } of counts) {
    const list = Object.entries(operations).map(([name, number]) => `${Number(number.toFixed(2))} × ${name}`);
    say(`  ${step.padEnd(30)}${list.join(", ") || "none"}`);
  }
  const reads = counts.filter(({ step }) => perMessage.includes(step)).flatMap(({ operations }) => Object.keys(operations));
  aims.judge("no KV read per message", !reads.some((name) => name.startsWith("get")));
}

export function printColdStart(product, floor, times) {
  say(bold("\nCold start") + dim(` (a new workerd process, median of ${times}, ms)`));
  say(row(["", "", "listens", "first", "", "both", "second"]));
  for (const [name, start] of [["Worker", product], ["floor", floor]]) {
    say(row([name, "", inMs(start.ready), inMs(start.first), "", inMs(start.answer), inMs(start.second)]));
  }
}

export function printMemory(points, aims) {
  say(bold("\nMemory of workerd") + dim(" (resident; own: without program text and mapped files)"));
  for (const { when, bytes } of points) say(`  ${when.padEnd(34)}${inMib(bytes.all).padStart(12)}   own ${inMib(bytes.own).padStart(10)}`);
  const [, first, , second] = points.map(({ bytes }) => bytes.all);
  aims.judge(`${SESSIONS} sessions in ≤ ${SESSIONS_AIM_MIB} MiB: ${inMib(first)}`, first <= SESSIONS_AIM_MIB * MIB);
  if (second === undefined) return say("  churn: not judged by --quick, which does not wait until left streams are noticed");
  aims.judge(`flat under churn (≤ ${FLAT} ×): ${inMib(first)}, then ${inMib(second)}`, second <= first * FLAT);
}

export function printUpload(files, aims) {
  const sum = (name) => files.reduce((total, file) => total + file[name], 0) / KIB;
  say(bold("\nUpload") + `  ${sum("raw").toFixed(1)} KiB raw, ${sum("gzip").toFixed(1)} KiB gzip`);
  aims.judge(`upload ≤ ${UPLOAD_AIM_KIB} KiB gzip: ${sum("gzip").toFixed(1)}`, sum("gzip") <= UPLOAD_AIM_KIB);
}
