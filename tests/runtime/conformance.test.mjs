// The published conformance suite against the product as it is deployed, through OAuth. Scenarios that call for the
// suite's own fixtures (tools named test_…) are not run: this server has no such tools.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runScenario } from "./support/conformance.mjs";
import { signIn } from "./support/oauth.mjs";
import { bearerProxy } from "./support/proxy.mjs";
import { serve } from "./support/server.mjs";

/** Every check of these passes; a scenario leaves this list only with the revision that demands it. */
const PASSING = {
  "2026-07-28": [
    "caching",
    "dns-rebinding-protection",
    "http-header-validation",
    "input-required-result-unsupported-methods",
    "prompts-list",
    "resources-list",
    "sep-2164-resource-not-found",
    "server-sse-multiple-streams",
    "tools-list",
  ],
  "2025-11-25": [
    "dns-rebinding-protection",
    "ping",
    "prompts-list",
    "resources-list",
    "server-initialize",
    "server-session-lifecycle",
    "server-sse-multiple-streams",
    "tools-list",
  ],
  "2025-06-18": ["ping", "prompts-list", "resources-list", "server-initialize", "server-session-lifecycle", "tools-list"],
  "2025-03-26": ["server-session-lifecycle"],
};

/** Of `server-stateless`, what needs a fixture: a tool that demands a capability, that asks, or that logs. */
const NEED_FIXTURES = [
  "sep-2575-http-server-no-independent-requests-on-stream",
  "sep-2575-missing-capability-http-400",
  "sep-2575-server-no-log-without-loglevel",
  "sep-2575-server-rejects-undeclared-capability",
];

const { url } = await serve();
const { access } = await signIn(url);
const proxy = await bearerProxy(url, access);
after(proxy.stop);

/** The checks that did not pass, as one says it of them. */
const failed = (checks) =>
  checks.filter(({ status }) => status === "FAILURE" || status === "WARNING").map(({ id, errorMessage }) => `${id}: ${errorMessage}`);

for (const [revision, scenarios] of Object.entries(PASSING)) {
  for (const scenario of scenarios) {
    test(`${revision}: ${scenario}`, async () => {
      const checks = await runScenario(`${proxy.url}/mcp`, revision, scenario);
      assert.deepEqual(failed(checks), []);
      assert.ok(checks.some(({ status }) => status === "SUCCESS"), "something was judged");
    });
  }
}

test("2026-07-28: server-stateless, as far as it needs no fixture", async () => {
  const checks = await runScenario(`${proxy.url}/mcp`, "2026-07-28", "server-stateless");
  const judged = checks.filter(({ id }) => !NEED_FIXTURES.includes(id));
  assert.deepEqual(failed(judged), []);
  assert.ok(judged.filter(({ status }) => status === "SUCCESS").length >= 20, "the ladder was climbed");
});
