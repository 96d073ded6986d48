// The Python of the tests with the published Python SDK: a virtual environment in .dev, made when it is absent or its
// list of packages has changed. Node built-ins only.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, run } from "./process.mjs";
import { DEV_DIR, ROOT } from "./project.mjs";
import { Failure, bold, report, say, step, yellow } from "./terminal.mjs";

const PACKAGES = join(ROOT, "tests", "clients", "python", "requirements.txt");
const FOLDER = join(DEV_DIR, "python");
const STAMP = join(FOLDER, "m365-mcp-packages");
const MINIMUM = "3.10";
const ON_PATH = ["python3", "python3.13", "python3.12", "python3.11", "python3.10"];
const HOW = [`install Python ${MINIMUM} or newer (Debian: apt-get install python3 python3-venv)`, "and check the way to your PyPI index (pip download mcp)"];

/**
 * The path of a Python with the packages, or undefined after saying aloud that the tests with it do not run.
 * With `required` its absence is a failure.
 */
export async function ensurePython({ required }) {
  const python = join(FOLDER, "bin", "python");
  const wanted = createHash("sha256").update(readFileSync(PACKAGES)).digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted && (await isNewEnough(python))) return python;
  try {
    const base = await findPython();
    await step("Python packages", (note) => install(base, python, note), { hint: "70 MB, half a minute" });
    writeFileSync(STAMP, wanted);
    return python;
  } catch (error) {
    if (required) throw error;
    report(error);
    say(bold(yellow("\n!!! THE TESTS WITH THE PYTHON SDK DO NOT RUN: its packages could not be installed.\n")));
    return undefined;
  }
}

const isNewEnough = async (python) =>
  (await attempt(python, ["-c", `import sys; sys.exit(sys.version_info < (${MINIMUM.replace(".", ", ")}))`])).ok;

async function findPython() {
  for (const name of ON_PATH) if (await isNewEnough(name)) return name;
  throw new Failure(`no Python ${MINIMUM} or newer was found`, { why: "the published Python SDK is one of the clients of the tests", fix: HOW });
}

async function install(base, python, note) {
  rmSync(FOLDER, { recursive: true, force: true });
  const failure = { what: "the Python packages could not be installed", fix: HOW };
  await run(base, ["-m", "venv", FOLDER], { onLine: note }, failure);
  await run(python, ["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "-r", PACKAGES], { onLine: note }, failure);
}
