// `npm run operator -- <area> <command> …`: asks a running server to do what its operators may do, over HTTP.
// What there is to do stands in scripts/operator/<area>.mjs; `npm run operator -- --help` says it.
import { readFileSync } from "node:fs";
import { argv, env } from "node:process";
import { parseArgs } from "node:util";
import { clients } from "./operator/clients.mjs";
import { grants } from "./operator/grants.mjs";
import { command } from "./lib/process.mjs";
import { WRANGLER_TOML } from "./lib/project.mjs";
import { devSecrets } from "./lib/secrets.mjs";
import { Failure, bold, say } from "./lib/terminal.mjs";

/** What an area offers: lines for --help, the options it knows (as `parseArgs` takes them), and its commands. */
const AREAS = { grants, clients };
const LIMIT_MS = 30_000;

const HELP = () => `npm run operator -- <area> <command> [options]

Lists and changes what a running server keeps. The server answers only when its OPERATOR_KEY secret is set:

  openssl rand -hex 32                      make a key of your own
  npx wrangler secret put OPERATOR_KEY      give it to the server
  export OPERATOR_KEY=…                     give it to this command

${Object.values(AREAS)
  .map(({ help }) => help)
  .filter(Boolean)
  .join("\n\n")}

${bold("Where")}
  --url <https://host>   the server; default: PUBLIC_URL in wrangler.toml
  --local                the server that npm run dev started (PORT, or 8787), with its own key
  --help                 this text

Where Cloudflare Access guards every path, give this command a service token of Access: CF_ACCESS_CLIENT_ID and
CF_ACCESS_CLIENT_SECRET in the environment are sent along.`;

command(async () => {
  const { values, positionals } = parse();
  const [area, name, ...rest] = positionals;
  if (values.help || !area) return say(HELP());
  const run = AREAS[area]?.commands[name];
  if (!run) throw new Failure(`there is no command ${[area, name].filter(Boolean).join(" ")}`, { fix: "npm run operator -- --help" });
  await run(connect(values), { ...values, rest });
});

function parse() {
  const options = Object.assign({}, ...Object.values(AREAS).map((area) => area.options));
  const own = { url: { type: "string" }, local: { type: "boolean" }, help: { type: "boolean" } };
  try {
    return parseArgs({ args: argv.slice(2), options: { ...options, ...own }, allowPositionals: true });
  } catch (error) {
    throw new Failure(error.message, { fix: "npm run operator -- --help" });
  }
}

/** The server as the commands see it: `ask(method, path, body?)` gives the JSON of its answer. */
function connect({ url, local }) {
  const base = local ? `http://localhost:${env.PORT || 8787}` : (url ?? publicUrl()).replace(/\/$/, "");
  const key = local ? devSecrets().OPERATOR_KEY : env.OPERATOR_KEY;
  if (!key) throw new Failure("OPERATOR_KEY is not set", { why: "the server knows its operators by it", fix: "npm run operator -- --help" });
  refusePlainHttp(base);
  const headers = { authorization: `Bearer ${key}`, ...accessHeaders() };
  return { url: base, ask: (method, path, body) => ask(`${base}/operator/${path}`, { method, headers, body }) };
}

/** The key must not cross a network in clear. */
function refusePlainHttp(base) {
  const { protocol, hostname } = new URL(base);
  if (protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return;
  throw new Failure(`${base} is not https`, { why: "the key would be sent in clear" });
}

function publicUrl() {
  const found = readFileSync(WRANGLER_TOML, "utf8").match(/^PUBLIC_URL = "([^"]+)"/m);
  if (!found) throw new Failure("wrangler.toml names no PUBLIC_URL", { fix: "--url https://your-server" });
  return found[1];
}

function accessHeaders() {
  const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret = "" } = env;
  return id ? { "cf-access-client-id": id, "cf-access-client-secret": secret } : {};
}

async function ask(url, { method, headers, body }) {
  const sent = body === undefined ? { headers } : { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    // A redirect would be Access's login page, and must not get the key.
    response = await fetch(url, { method, redirect: "manual", signal: AbortSignal.timeout(LIMIT_MS), ...sent });
  } catch (error) {
    throw new Failure(`${new URL(url).origin} does not answer`, { why: error.cause?.message ?? error.message });
  }
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : undefined;
  throw refused(response.status, text);
}

function refused(status, text) {
  const hints = {
    401: "the server's OPERATOR_KEY is another one, or not set",
    403: "Cloudflare Access did not let this command in: see --help",
    404: "the server knows no such thing",
    302: "Cloudflare Access asks for a sign-in: see --help",
  };
  let said = "";
  try {
    said = JSON.parse(text).error;
  } catch {
    // Not an answer of the server's own JSON.
  }
  return new Failure(`the server refused: ${status}${said ? `, ${said}` : ""}`, { why: hints[status] });
}
