// The conformance package says that it runs on Node 20 and imports `fs.globSync`, which came with Node 22, so there it
// cannot even be loaded. Preloaded with `--import`, this adds the missing name for that package alone; the command that
// is tested here never calls it.
import * as fs from "node:fs";
import { register } from "node:module";

const asModule = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
const WHOLE_FS = asModule(`
  export * from "node:fs";
  export { default } from "node:fs";
  export function globSync() { throw new Error("fs.globSync needs Node 22"); }
`);
const HOOK = asModule(`
  export async function resolve(specifier, context, next) {
    const isForIt = specifier === "fs" && context.parentURL?.includes("/@modelcontextprotocol/conformance/");
    return isForIt ? { url: ${JSON.stringify(WHOLE_FS)}, shortCircuit: true } : next(specifier, context);
  }
`);

if (!("globSync" in fs)) register(HOOK);
