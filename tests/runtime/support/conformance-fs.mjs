// Loaded by `--import` before the conformance suite: on Node 20 `fs` has no `globSync`, which the suite imports but
// needs only for a command that is never run here.
import { register } from "node:module";

const shim = `export * from "node:fs"; export const globSync = () => { throw new Error("needs Node 22"); };`;
const hook = `
  export const resolve = (name, context, next) =>
    name === "fs" && context.parentURL?.includes("/conformance/dist/")
      ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(shim)}`)}, shortCircuit: true }
      : next(name, context);
`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
