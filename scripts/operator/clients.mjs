// `npm run operator -- clients …`: clients that are registered by hand.
import { readFileSync } from "node:fs";
import { Failure, bold, say } from "../lib/terminal.mjs";

const HELP = `${bold("Clients")} that you register by hand: they never expire
  clients add --name <name> --redirect-uri <uri> [--redirect-uri <uri> …]
              [--auth client_secret_basic | client_secret_post | private_key_jwt | none]
              [--jwks <file> | --jwks-uri <https://…>]   its public keys, for private_key_jwt
  clients list                          those that you registered
  clients show --client <id>
  clients rotate-secret --client <id>   a new secret; the old one is refused from then on
  clients remove --client <id>          it can authenticate no more, and its users' sign-ins end within the hour
  A secret is shown once and kept nowhere. Changes reach every location within a minute.`;

export const clients = {
  help: HELP,
  options: {
    client: { type: "string" },
    name: { type: "string" },
    "redirect-uri": { type: "string", multiple: true },
    auth: { type: "string" },
    jwks: { type: "string" },
    "jwks-uri": { type: "string" },
  },
  commands: { add, list, show, remove, "rotate-secret": rotateSecret },
};

async function add({ ask }, options) {
  const wanted = {
    client_name: options.name ?? "",
    redirect_uris: options["redirect-uri"] ?? [],
    token_endpoint_auth_method: options.auth,
    jwks: options.jwks && readJson(options.jwks),
    jwks_uri: options["jwks-uri"],
  };
  print(await ask("POST", "clients", wanted));
}

async function list({ ask }) {
  let [found, cursor] = [0, ""];
  do {
    const page = await ask("GET", `clients?${new URLSearchParams(cursor ? { cursor } : {})}`);
    page.clients.forEach(print);
    [found, cursor] = [found + page.clients.length, page.cursor];
  } while (cursor);
  if (found === 0) say("you registered no clients");
}

async function show({ ask }, options) {
  print(await ask("GET", `clients?${query(options)}`));
}

async function remove({ ask }, options) {
  print(await ask("DELETE", `clients?${query(options)}`));
  say("removed");
}

async function rotateSecret({ ask }, options) {
  print(await ask("POST", `clients/rotate-secret?${query(options)}`));
}

function query({ client }) {
  if (!client) throw new Failure("--client is missing", { fix: "--client <id>" });
  return new URLSearchParams({ client_id: client }).toString();
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Failure(`${path} cannot be read as JSON`, { why: error.message });
  }
}

function print(client) {
  say(bold(client.client_name ?? "an unnamed app"));
  say(`  client id  ${client.client_id}`);
  if (client.client_secret) say(`  secret     ${client.client_secret}   (shown this once)`);
  say(`  proves itself by ${client.token_endpoint_auth_method}; registered by ${client.registered_by === "itself" ? "itself" : "an operator"}`);
  for (const uri of client.redirect_uris) say(`  answers to ${uri}`);
}
