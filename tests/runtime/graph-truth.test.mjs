// Every request that a tool builds, held against Microsoft's own description: so that the emulator, which is ours, cannot
// agree with our mistakes. The requests are those of the snapshots, which native tests keep true.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { ROOT } from "../../scripts/lib/project.mjs";
import { Description } from "./support/graph-description.mjs";

const SNAPSHOTS = join(ROOT, "tests", "snapshots");
/** First segments that no installed part of the SDK describes. */
const NOT_DESCRIBED = ["communications", "drives", "groups", "me/drive", "places", "planner", "search", "shares", "sites"];
const graph = new Description();

/** Requests anywhere in a snapshot, those in a batch one by one. */
function requestsIn(value) {
  if (Array.isArray(value)) return value.flatMap(requestsIn);
  if (!value || typeof value !== "object") return [];
  if (typeof value.request !== "string") return Object.values(value).flatMap(requestsIn);
  const [method, address] = value.request.split(/ (.*)/);
  if (address !== "/$batch") return [{ method, address, body: value.body }];
  return value.body.requests.map(({ method: one, url, body }) => ({ method: one, address: url, body }));
}

const files = readdirSync(SNAPSHOTS).filter((name) => name.endsWith(".json"));
const requests = files.flatMap((name) => requestsIn(JSON.parse(readFileSync(join(SNAPSHOTS, name), "utf8"))).map((one) => ({ ...one, file: name })));

/** The names in `$select`, `$orderby` and `$expand`, of the thing itself and not of what is inside it. */
function namesIn(query) {
  const of = (option) => (query.get(option) ?? "").replace(/\([^)]*\)/g, "").split(",").filter(Boolean);
  return [...of("$select"), ...of("$expand"), ...of("$orderby")].map((name) => name.trim().split(/[ /]/)[0]);
}

function faultsOf({ method, address, body }) {
  const { pathname, searchParams: query } = new URL(address, "https://graph.example");
  const path = graph.find(method, pathname.split("/").slice(1).map(decodeURIComponent));
  if (!path) return [`${method} ${pathname} does not exist`];
  const unknown = [...query.keys()].filter((name) => !path.options.has(name)).map((name) => `no query option ${name}`);
  const members = graph.namesOf(graph.itemOf(path), path.local);
  const names = members ? namesIn(query).filter((name) => !members.has(name)).map((name) => `${name} is not in ${graph.itemOf(path)}`) : [];
  const wrong = body ? (path.takes ? graph.faults(body, path.takes, path.local) : ["takes no body"]) : [];
  return [...unknown, ...names, ...wrong];
}

describe("what the tools ask is in Microsoft's description of Graph", () => {
  const isDescribed = ({ address }) => !NOT_DESCRIBED.some((part) => address.split("?")[0].startsWith(`/${part}`));
  const described = requests.filter(isDescribed);

  test("each path, query option, selected property and member of a body", (t) => {
    const left = requests.filter((one) => !isDescribed(one));
    t.diagnostic(`${described.length} requests checked, ${left.length} not described: ${[...new Set(left.map(({ address }) => address.split(/[?/]/)[1]))].join(", ")}`);
    const faults = described.flatMap((one) => faultsOf(one).map((fault) => `${one.file}: ${one.method} ${one.address.split("?")[0]}: ${fault}`));
    assert.deepEqual([...new Set(faults)], []);
    assert.ok(described.length > 50);
  });

  test("a mistake would be found", () => {
    const found = (method, address, body) => faultsOf({ method, address, body });
    assert.match(found("GET", "/me/mesages")[0], /does not exist/);
    assert.match(found("PUT", "/me/messages/x")[0], /does not exist/);
    assert.match(found("GET", "/me/messages?$selct=id")[0], /no query option \$selct/);
    assert.match(found("GET", "/me/messages?$select=id,sender,colour")[0], /colour is not in Message/);
    assert.match(found("PATCH", "/me/messages/x", { isread: true })[0], /body\.isread is not in/);
    assert.match(found("PATCH", "/me/messages/x", { isRead: "true" })[0], /isRead is string, not boolean/);
    assert.match(found("POST", "/me/messages/x/move", { destination: "inbox" })[0], /destination is not in/);
    assert.match(found("PATCH", "/me/messages/x", { toRecipients: [{ address: "a@contoso.example" }] })[0], /toRecipients\.address is not in/);
  });
});
