// The secrets of local development: random, made once, kept where only their owner can read them.
// They stay the same between starts, because what they sealed (.dev/state) is kept as well.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEV_DIR } from "./project.mjs";

const FILE = join(DEV_DIR, "secrets.json");
const OWNER_ONLY = 0o600;
const hex = () => randomBytes(32).toString("hex");

const fresh = () => ({
  ENCRYPTION_KEY: hex(),
  COOKIE_ENCRYPTION_KEY: hex(),
  COOKIE_SECRET: hex(),
  GRAPH_HANDLER_KEY: hex(),
  MICROSOFT_CLIENT_SECRET: hex(),
  OPERATOR_KEY: hex(),
});

/** The kept secrets; one that a newer version added is made now. */
export function devSecrets() {
  const kept = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : {};
  const secrets = { ...fresh(), ...kept };
  if (Object.keys(secrets).some((name) => !(name in kept))) {
    mkdirSync(DEV_DIR, { recursive: true });
    writeFileSync(FILE, JSON.stringify(secrets, null, 2) + "\n", { mode: OWNER_ONLY });
  }
  return secrets;
}

/** Secrets for one test run, kept nowhere. */
export const throwawaySecrets = fresh;
