// Which revision a client speaks that does not say it: as the server reads it in its requests.
import { join } from "node:path";

const NOTING = `
import Inner, { MicrosoftMcpAgent } from "./index.js";
export { MicrosoftMcpAgent };
export default class extends Inner {
  fetch(request) {
    const revision = request.headers.get("mcp-protocol-version");
    if (request.method === "POST" && revision) console.log(JSON.stringify({ event: "watch.revision", revision }));
    return super.fetch(request);
  }
}`;

/** For `serve({ alter })`: the same Worker, which says the revision of each message that names one. */
export const revisionsSeen = (options) => ({
  ...options,
  modules: [{ type: "ESModule", path: join(options.modulesRoot, "noting.js"), contents: NOTING }, ...options.modules],
});

/** The revision of the newest message. */
export const revisionOf = (server) => server.events("watch.revision").at(-1)?.revision;
