// The published conformance suite, in workerd and through OAuth: against the build with the suite's own fixtures, where
// everything that a revision requires must pass, and against the product, as far as it needs none.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { flaws, requirements, runSuite } from "./support/conformance.mjs";
import { signIn } from "./support/oauth.mjs";
import { bearerProxy } from "./support/proxy.mjs";
import { serve } from "./support/server.mjs";

/** How the suite is asked for a revision: the newest two have a frozen set of requirements. */
const SCORED = ["2025-11-25", "2026-07-28"];
const UNSCORED = ["2025-06-18", "2025-03-26"];

/** Checks that the suite itself does not carry out yet, whatever the server does. */
const NOT_TRIED = ["tasks-status-notifications"];

/** Scenarios that speak HTTP by themselves, past the suite's check of every message against the schema. */
const WITHOUT_SCHEMA = [
  "dns-rebinding-protection",
  "server-session-lifecycle",
  "server-sse-multiple-streams",
  "server-sse-polling",
  "server-stateless",
  "tasks-status-notifications",
];

/** Scenarios of the tasks extension, which is offered and so must be right although the suite does not count it. */
const TASKS = [
  "tasks-capability-negotiation",
  "tasks-dispatch-and-envelope",
  "tasks-lifecycle",
  "tasks-mrtr-composition",
  "tasks-mrtr-input",
  "tasks-request-headers",
  "tasks-request-state-removal",
  "tasks-required-task-error",
  "tasks-status-notifications",
  "tasks-wire-fields",
];

/** What the suite runs and does not count, with its result here. */
const NOT_COUNTED = {
  "2025-11-25": { "json-schema-2020-12": "passes", "server-session-lifecycle": "passes", "server-sse-polling": "passes" },
  "2026-07-28": {
    "http-custom-header-server-validation": "passes",
    "http-header-validation": "passes",
    "json-schema-2020-12": "passes",
    ...Object.fromEntries(TASKS.map((scenario) => [scenario, "passes"])),
  },
};

/** Of the product, by revision: what the suite asks for without a fixture of its own. */
const WITHOUT_FIXTURES = {
  "2025-11-25": ["dns-rebinding-protection", "ping", "prompts-list", "resources-list", "server-initialize", "server-session-lifecycle", "server-sse-multiple-streams", "tools-list"],
  "2026-07-28": ["caching", "dns-rebinding-protection", "http-header-validation", "input-required-result-unsupported-methods", "prompts-list", "resources-list", "sep-2164-resource-not-found", "server-sse-multiple-streams", "tools-list"],
};

/** A server of this build behind a proxy that signs in for the suite; its URL. */
async function signedIn(options) {
  const { url } = await serve(options);
  const { access } = await signIn(url);
  const proxy = await bearerProxy(url, access);
  after(proxy.stop);
  return `${proxy.url}/mcp`;
}

const [fixtures, product] = [await signedIn({ build: "conformance" }), await signedIn({})];

const wrong = (checks) => flaws(checks).filter((flaw) => !NOT_TRIED.some((id) => flaw.includes(id)));

function holds(scenario, checks) {
  assert.ok(checks, "it was run");
  assert.deepEqual(wrong(checks), []);
  assert.ok(checks.some(({ status }) => status === "SUCCESS"), "something was judged");
  if (WITHOUT_SCHEMA.includes(scenario)) return;
  assert.ok(checks.some(({ id }) => id === "wire-schema-valid"), "every message was held against the schema");
}

for (const revision of SCORED) {
  const { required, unscored } = await requirements(revision);
  describe(`${revision}, the fixtures`, async () => {
    let results;
    before(async () => (results = await runSuite(fixtures, "--requirements", revision)));
    for (const scenario of required) {
      test(scenario, () => holds(scenario, results.get(scenario)));
    }
    test("what is not counted has the result that is written here", () => {
      const result = (scenario) => (wrong(results.get(scenario)).length === 0 ? "passes" : "fails");
      assert.deepEqual(Object.fromEntries(unscored.map((scenario) => [scenario, result(scenario)]).sort()), NOT_COUNTED[revision]);
    });
    if (revision === "2025-11-25") {
      test("server-sse-polling: the stream is closed in mid-call and taken up again", () => {
        const checks = results.get("server-sse-polling");
        assert.equal(checks.find(({ id }) => id === "server-sse-disconnect-resume")?.status, "SUCCESS");
      });
    }
    test("nothing was left out", () => assert.deepEqual([...results.keys()].sort(), [...required, ...unscored].sort()));
  });
}

for (const revision of UNSCORED) {
  test(`${revision}, the fixtures`, async (t) => {
    const results = await runSuite(fixtures, "--suite", "all", "--spec-version", revision);
    for (const [scenario, checks] of results) await t.test(scenario, () => holds(scenario, checks));
  });
}

for (const [revision, scenarios] of Object.entries(WITHOUT_FIXTURES)) {
  test(`${revision}, the product`, async (t) => {
    const results = await runSuite(product, "--requirements", revision);
    for (const scenario of scenarios) await t.test(scenario, () => holds(scenario, results.get(scenario)));
  });
}
