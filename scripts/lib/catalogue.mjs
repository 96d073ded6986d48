// What the lists of tools cost a model: the JSON text that `tools/list` answers with, counted as OpenAI's newer models
// read it (o200k_base). Other models count within some tenths of it; bounds hold for this one, because it is published.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { ROOT } from "./project.mjs";

/** The entries as the Worker joins them, one a line, in its order. */
const LIST = join(ROOT, "src", "tools", "list.jsonl");
/** What a native test says of the same tools. */
const CATALOGUE = join(ROOT, "tests", "snapshots", "catalogue.json");

/** Name, presets (undefined: all) and what it may cost. */
export const BOUNDS = [
  { name: "all presets", below: 8000 },
  { name: "default presets", presets: "usual", below: 6000 },
  { name: "Outlook (core, mail, calendar)", presets: ["core", "mail", "calendar"], below: 4500 },
];

export const tokensOf = (text) => countTokens(text);

/** Every tool: its facts and its `entry`, the line of the list. */
export function readCatalogue() {
  const { usualPresets, tools } = JSON.parse(readFileSync(CATALOGUE, "utf8"));
  const lines = readFileSync(LIST, "utf8").split("\n").filter(Boolean);
  const entries = new Map(lines.map((line) => [JSON.parse(line).name, line]));
  return { usualPresets, tools: tools.map((tool) => ({ ...tool, entry: entries.get(tool.name) })) };
}

/** The text of the list that these presets give to a user with every permission. */
export function listText({ tools, usualPresets }, presets) {
  const chosen = presets === "usual" ? usualPresets : presets;
  const shown = chosen ? tools.filter(({ preset }) => preset === "core" || chosen.includes(preset)) : tools;
  return `[${shown.map(({ entry }) => entry).join(",")}]`;
}

/** A row for each preset alone, without core but for core itself, and one for each bound. */
export function tokenTable(catalogue) {
  const presets = [...new Set(catalogue.tools.map(({ preset }) => preset))];
  const row = (name, text, below) => ({ name, tools: JSON.parse(text).length, tokens: tokensOf(text), below });
  const alone = (name) => `[${catalogue.tools.filter(({ preset }) => preset === name).map(({ entry }) => entry).join(",")}]`;
  return [
    ...presets.map((name) => row(name, alone(name))),
    ...BOUNDS.map(({ name, presets: chosen, below }) => row(name, listText(catalogue, chosen), below)),
  ];
}

/** Lines of a table: a name, then numbers at the right. */
export function formatted(rows, columns) {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2;
  const head = "".padEnd(width) + columns.map((column) => column.padStart(9)).join("");
  return [head, ...rows.map((row) => row.name.padEnd(width) + columns.map((column) => String(row[column] ?? "").padStart(9)).join(""))];
}
