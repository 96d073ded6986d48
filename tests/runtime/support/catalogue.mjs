// The catalogue as a walk needs it: for each tool the arguments of `tests/catalogue/<tool>.json`, and answers in a form
// that two runs share.
//
// A file holds calls by name, `least` and `fullest` always among them, and may hold: `given`, values that the emulator
// makes up, such as ids: name → [tool, arguments, JSON pointer into its answer], asked for in this order before the calls and
// used as "$name"; `fails`, the code of the error that a call must end in; `varies`, the calls whose answer depends on the day
// of the test, of which only the form is kept.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../../scripts/lib/project.mjs";

const INPUTS = join(ROOT, "tests", "catalogue");
const CATALOGUE = join(ROOT, "tests", "snapshots", "catalogue.json");
const ANSWERS = join(ROOT, "tests", "snapshots", "answers");
/** The Monday around which the emulator's data lie. */
export const TODAY = "2026-03-02";

/** Every permission that any tool can use. */
export function allScopes() {
  const { tools } = JSON.parse(readFileSync(CATALOGUE, "utf8"));
  const all = tools.flatMap(({ needs, also, onUse }) => [...needs, ...also, ...onUse]);
  return [...new Set(all.map(({ scope }) => scope))];
}

export const inputsOf = (tool) => {
  const path = join(INPUTS, `${tool}.json`);
  assert.ok(existsSync(path), `tests/catalogue/${tool}.json has no arguments for ${tool}`);
  return JSON.parse(readFileSync(path, "utf8"));
};

/** Every tool that has a file. */
export const describedTools = () => readdirSync(INPUTS).map((name) => name.replace(/\.json$/, "")).sort();

/** The calls of a tool's file, by name. */
export const callsOf = ({ given, fails, varies, ...calls }) => {
  assert.ok(calls.least && calls.fullest, "a least and a fullest call");
  return calls;
};

/** What is given, by name; `ask(tool, arguments)` gives a parsed answer. */
export async function prepare(given = {}, ask) {
  const known = {};
  for (const [name, [tool, wanted, pointer]] of Object.entries(given)) {
    const answer = await ask(tool, filled(wanted, known));
    known[name] = at(answer, pointer);
    assert.ok(known[name] !== undefined, `$${name}: ${tool} answers nothing at ${pointer}: ${JSON.stringify(answer).slice(0, 500)}`);
  }
  return known;
}

/** Arguments with their "$name"s replaced. */
export function filled(value, known) {
  if (Array.isArray(value)) return value.map((one) => filled(one, known));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, known)]));
  const name = typeof value === "string" && value.match(/^\$(\w+)$/)?.[1];
  if (!name) return value;
  assert.ok(name in known, `"$${name}" is not among the given`);
  return known[name];
}

const at = (value, pointer) => pointer.split("/").slice(1).reduce((inner, key) => inner?.[key], value);

const DAY_MS = 86_400_000;
const isNow = (text) => Math.abs(Date.parse(text) - Date.now()) < 2 * DAY_MS;

/** What differs from run to run, or with every change of the sample data, stands as a name. */
export function settled(value, key = "") {
  if (Array.isArray(value)) return value.map((one) => settled(one, key));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, settled(one, name)]));
  if (typeof value !== "string") return value;
  if (/cursor$/i.test(key)) return "<cursor>";
  if (key === "requestId") return "<request>";
  if (key === "idempotencyKey" && !value.startsWith("walk-")) return "<key>";
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?$/.test(value) && isNow(value)) return "<now>";
  return value
    .replace(/\bhttp:\/\/localhost:\d+/g, "<server>")
    .replace(/\b(AAMk|AAk|AQMk|AAQk|AQAA)[\w+/=-]{6,}/g, "<$1 id>")
    .replace(/(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}(?![0-9a-f])/g, (id) => (/0{8}/.test(id) ? id : "<uuid>"))
    .replace(/\b1[789]\d{11}\b/g, (id) => (isNow(new Date(Number(id)).toISOString()) ? "<now>" : id));
}

/** Only the form: names of members and kinds of values, lists by what is in them. */
export function formOf(value) {
  if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(formOf(one))))].sort().map((one) => JSON.parse(one));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, formOf(one)]));
  return `<${typeof value}>`;
}

/** Compares with the stored answer; `UPDATE_SNAPSHOTS=1` stores it instead. */
export function snapshot(tool, found) {
  const path = join(ANSWERS, `${tool}.json`);
  const text = `${JSON.stringify(found, null, 2)}\n`;
  if (process.env.UPDATE_SNAPSHOTS) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `tests/snapshots/answers/${tool}.json is missing: run once with UPDATE_SNAPSHOTS=1`);
  assert.equal(text, readFileSync(path, "utf8"), `the answer of ${tool} differs: look at it, then run with UPDATE_SNAPSHOTS=1`);
}
