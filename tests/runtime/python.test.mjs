// The published Python SDK, in each of its ways to agree on a revision, on both URLs and by both transports.
import test from "node:test";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib/project.mjs";
import { drive } from "./support/driver.mjs";
import { journeys } from "./support/journey.mjs";
import { serve } from "./support/server.mjs";

const DRIVER = join(ROOT, "tests", "clients", "python", "driver.py");
const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";

/** Way to negotiate, URL, transport, the revision that comes of it. */
const WAYS = [
  ["auto", "/mcp", "http", MODERN],
  ["auto", "/sse", "http", MODERN],
  ["auto", "/sse", "sse", LEGACY],
  ["legacy", "/mcp", "http", LEGACY],
  ["legacy", "/sse", "http", LEGACY],
  ["legacy", "/sse", "sse", LEGACY],
  [MODERN, "/mcp", "http", MODERN],
];

const python = process.env.M365_PYTHON;

if (python) {
  const clients = WAYS.map(([mode, path, transport, revision]) => ({
    name: `Python SDK, ${mode} on ${path}${transport === "sse" ? " by HTTP+SSE" : ""}`,
    revision,
    start: (url) => drive(python, [DRIVER, url + path, transport, mode]),
    // Its HTTP+SSE stream is not opened again by itself.
    ...(transport === "sse" ? { loses: "connection" } : {}),
  }));
  journeys(await serve(), clients);
} else {
  test("the Python SDK", { skip: "M365_PYTHON is not set: no Python 3.10 or newer with the packages of tests/clients/python" }, () => {});
}
