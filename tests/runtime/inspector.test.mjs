// MCP Inspector's command line, as published. Each command is a client of its own, with the tokens that the first one
// signed in for; some that make calls for a while are there when the Worker is restarted. It has no way to take a call back.
import assert from "node:assert/strict";
import test from "node:test";
import { freePortPair } from "../../scripts/lib/ports.mjs";
import { items, parsed } from "./support/mcp.mjs";
import { walk } from "./support/oauth.mjs";
import { emptyHome, outputOf, recordingBrowser, startBin } from "./support/programs.mjs";
import { revisionOf, revisionsSeen } from "./support/revisions.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const LIMIT_MS = 60_000;

/** Transport, URL, what `--protocol-era` says, the revision that comes of it, and whether one is under way at the restart. */
const WAYS = [
  ["http", "/mcp", "legacy", "2025-11-25", true],
  ["http", "/mcp", "auto", "2026-07-28", true],
  ["http", "/mcp", "modern", "2026-07-28", false],
  ["http", "/sse", "legacy", "2025-11-25", false],
  ["http", "/sse", "auto", "2026-07-28", false],
  ["sse", "/sse", "legacy", "2025-11-25", true],
  ["sse", "/sse", "auto", "2025-11-25", false],
];

const server = await serve({ alter: revisionsSeen });

/** One person's Inspector: its settings and tokens, and a browser. */
class Inspector {
  #home = emptyHome();
  #browser = recordingBrowser(this.#home.path);

  constructor(transport, path, era) {
    this.way = ["--cli", server.url + path, "--transport", transport, "--protocol-era", era, "--quiet"];
  }

  start(...args) {
    const env = { ...this.#browser.env, MCP_AUTO_OPEN_ENABLED: "true", MCP_INSPECTOR_SECRET_STORE: "file" };
    return startBin("mcp-inspector", [...this.way, ...args], { home: this.#home.path, env });
  }

  async signIn() {
    const callback = `http://127.0.0.1:${await freePortPair()}/oauth/callback`;
    const first = this.start("--method", "tools/list", "--callback-url", callback);
    const address = await until("the address that it opens", this.#browser.opened, LIMIT_MS);
    await fetch(await walk(address, { redirectUri: callback }));
    return JSON.parse(await outputOf("mcp-inspector", first));
  }

  async mails(args) {
    const asked = ["--tool-name", "getEmails", "--tool-args-json", JSON.stringify({ count: 2, ...args })];
    return parsed(JSON.parse(await outputOf("mcp-inspector", this.start("--stored-auth-only", "--method", "tools/call", ...asked))));
  }

  /** Calls for two minutes, two a second. */
  load() {
    const how = ["--load", "--load-duration", "120", "--load-concurrency", "8", "--load-rate", "2"];
    return this.start("--stored-auth-only", "--method", "tools/call", "--tool-name", "getContacts", ...how);
  }

  remove() {
    this.#home.remove();
  }
}

const called = () => server.events("mcp.tool").filter(({ tool, reason }) => tool === "getContacts" && reason === "ok");
const grants = (calls) => new Set(calls.map(({ grantId }) => grantId));

test("Inspector's command line, through a restart", async (t) => {
  const journeys = [];
  t.after(() => journeys.forEach(({ inspector }) => inspector.remove()));
  for (const [transport, path, era, revision, stays] of WAYS) {
    await t.test(`${era} over ${transport} on ${path}: signs in, agrees on ${revision}, lists and calls`, async () => {
      const inspector = new Inspector(transport, path, era);
      const journey = { inspector, stays, name: `${era} over ${transport} on ${path}` };
      journeys.push(journey);
      const { tools } = await inspector.signIn();
      assert.equal(tools[0].name, "authenticate");
      assert.equal(revisionOf(server), revision);
      journey.page = await inspector.mails();
    });
  }
  await t.test("those that are calling when the Worker is restarted go on", async (t) => {
    const busy = journeys.filter(({ stays }) => stays).map(({ inspector }) => inspector.load());
    t.after(() => Promise.all(busy.map(({ stop }) => stop())));
    await until("calls of each", () => grants(called()).size === busy.length, LIMIT_MS);
    await server.restartWorker();
    const before = called().length;
    await until("calls of each to the new Worker", () => grants(called().slice(before)).size === busy.length, LIMIT_MS);
  });
  for (const { name, inspector, page } of journeys) {
    await t.test(`${name}: reads the next page after the restart`, async () => {
      const next = await inspector.mails({ cursor: page.nextCursor });
      assert.equal(items(next).length, 2);
      assert.notEqual(items(next)[0].id, items(page)[0].id, "the cursor leads on");
    });
  }
});
