// `npm run operator -- grants …`: which clients may act for a user, and how that ends.
import { Failure, bold, say } from "../lib/terminal.mjs";

const HELP = `${bold("Grants")}: one for each client that a user signed in through
  grants list --user <tid:oid>                  the clients that may act for this user now
  grants revoke --user <tid:oid> --grant <id>   end one of them, at once
  grants revoke --user <tid:oid> --all          end all of them
  <tid:oid> is tenant id and object id of the user in Entra. All users with a grant:
  npx wrangler kv key list --binding OAUTH_KV --remote --prefix grant:`;

export const grants = {
  help: HELP,
  options: { user: { type: "string" }, grant: { type: "string" }, all: { type: "boolean" } },
  commands: { list, revoke },
};

const query = (fields) => new URLSearchParams(Object.entries(fields).filter(([, value]) => value)).toString();
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

function userOf({ user }) {
  if (user) return user;
  throw new Failure("--user is missing", { fix: "--user <tid:oid>, tenant id and object id of the user in Entra" });
}

async function list({ ask }, options) {
  const { grants: found } = await ask("GET", `grants?${query({ user: userOf(options) })}`);
  if (found.length === 0) return say("this user has no grants");
  for (const grant of found) {
    if (grant.unreachable) {
      say(`${grant.grant} (does not answer; it can be ended all the same)`);
      continue;
    }
    say(bold(grant.clientName ?? "an unnamed app") + (grant.signInNeeded ? " (Microsoft asks for a new sign-in)" : ""));
    say(`  grant      ${grant.grant}`);
    say(`  client     ${grant.clientId}`);
    say(`  answers to ${grant.redirectHost}`);
    say(`  may        ${grant.scope}`);
    say(`  since ${day(grant.createdAt)}, last used ${day(grant.lastUsedAt)}, ends ${day(grant.endsAt)} (UTC)`);
  }
}

async function revoke({ ask }, options) {
  const { grant, all } = options;
  if (Boolean(grant) === Boolean(all)) throw new Failure("say which: --grant <id>, or --all");
  const { revoked } = await ask("DELETE", `grants?${query({ user: userOf(options), grant })}`);
  say(revoked.length === 0 ? "there was nothing to end" : `ended: ${revoked.join(", ")}`);
}
