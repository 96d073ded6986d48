// `npm run catalogue`: what the list of tools costs a model, preset by preset. `-- --tools` adds a row for each tool.
import { argv } from "node:process";
import { command } from "./lib/process.mjs";
import { bold, say } from "./lib/terminal.mjs";
import { setUp } from "./setup.mjs";

command(async () => {
  await setUp();
  // Imported here: set-up must be able to run before the tokenizer is installed.
  const { formatted, readCatalogue, tokenTable, tokensOf } = await import("./lib/catalogue.mjs");
  const catalogue = readCatalogue();
  say(bold("Tokens of tools/list, o200k_base\n"));
  formatted(tokenTable(catalogue), ["tools", "tokens", "below"]).forEach((line) => say(line));
  if (!argv.includes("--tools")) return;
  const tools = catalogue.tools.map(({ name, preset, entry }) => ({ name: `${preset}/${name}`, tokens: tokensOf(entry) }));
  say("");
  formatted(tools, ["tokens"]).forEach((line) => say(line));
});
