// The browser of the consent tests: an installed one, or Debian's chromium where set-up may install it.
// Nothing is downloaded past the system's package manager.
import { existsSync, readFileSync } from "node:fs";
import { attempt, run } from "./process.mjs";
import { Failure, bold, report, say, step, yellow } from "./terminal.mjs";

const ON_PATH = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "microsoft-edge-stable", "microsoft-edge"];
const MAC_APPS = ["Google Chrome", "Chromium", "Microsoft Edge"].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
const START_LIMIT_MS = 20_000;
const HOW = ["install Chrome, Chromium or Edge (Debian: apt-get install chromium)", "or set CHROME_PATH to the browser's program"];

/**
 * The path of a browser that runs, or undefined after saying aloud that browser tests are skipped.
 * With `required` its absence is a failure.
 */
export async function ensureBrowser({ required }) {
  const found = (await findBrowser()) ?? (await installFromDebian());
  if (found) return found;
  const failure = new Failure("no browser was found", { why: "the consent page is tested in a real one", fix: HOW });
  if (required) throw failure;
  say(bold(yellow("\n!!! BROWSER TESTS ARE SKIPPED: no Chrome, Chromium or Edge was found.")));
  for (const line of HOW) say(yellow(`    ${line}`));
  say();
  return undefined;
}

async function findBrowser() {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (await runs(named)) return named;
    throw new Failure(`CHROME_PATH names ${named}, which does not run`, { fix: HOW });
  }
  for (const name of ON_PATH) {
    const path = await resolveOnPath(name);
    // Ubuntu ships a chromium-browser that only says where to get it: so each is tried.
    if (path && (await runs(path))) return path;
  }
  return MAC_APPS.find((path) => existsSync(path));
}

async function resolveOnPath(name) {
  const { ok, output } = await attempt("sh", ["-c", 'command -v "$1"', "sh", name]);
  return ok ? output.trim() : undefined;
}

const runs = async (path) => (await attempt(path, ["--version"], { timeoutMs: START_LIMIT_MS })).ok;

async function installFromDebian() {
  if (process.getuid() !== 0 || !isDebian() || !(await resolveOnPath("apt-get"))) return undefined;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = async (note) => {
    await run("apt-get", ["update"], { onLine: note, env });
    await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], { onLine: note, env });
  };
  try {
    await step("Debian's chromium, for the browser tests", install, { hint: "100 MB download, once" });
  } catch (error) {
    report(error);
  }
  return findBrowser();
}

// Ubuntu's package of that name is a stub for snap.
function isDebian() {
  return existsSync("/etc/os-release") && /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
}
