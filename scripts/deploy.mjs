// `npm run deploy`: set-up, then `wrangler deploy`, which makes the release build (wrangler.toml, [build]).
// Arguments go through: `npm run deploy -- --dry-run` uploads nothing.
import { argv } from "node:process";
import { command, run } from "./lib/process.mjs";
import { nodeBin } from "./lib/project.mjs";
import { setUp } from "./setup.mjs";

command(async () => {
  await setUp();
  await run(nodeBin("wrangler"), ["deploy", ...argv.slice(2)], { inherit: true }, { what: "wrangler deploy failed" });
});
