// Every request that a tool builds, held against Microsoft's own description: so that the emulator, which is ours, cannot
// agree with our mistakes. The requests are those of the snapshots, which native tests keep true.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { ROOT } from "../../scripts/lib/project.mjs";
import { DOCUMENTED } from "./support/graph-documented.mjs";
import { Description, EXCEPTIONS, normalised } from "./support/graph-description.mjs";

const SNAPSHOTS = join(ROOT, "tests", "snapshots");
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

const pathOf = ({ address }) => address.split("?")[0];
const segmentsOf = (pathname) => normalised(pathname).split("/").slice(1).map(decodeURIComponent);
/** A body that is not JSON is stored as its bytes: it has no members. */
const isBytes = (body) => Array.isArray(body?.bytes) && Object.keys(body).length === 1;

function faultsOf({ method, address, body }) {
  const { pathname, searchParams: query } = new URL(address, "https://graph.example");
  const path = graph.find(method, segmentsOf(pathname));
  if (!path) return ["does not exist"];
  const options = [...query.keys()].filter((name) => !path.options.has(name)).map((name) => `no query option ${name}`);
  const names = graph.unknownNames(query, graph.itemOf(path), path.local);
  const wrong = body && !isBytes(body) ? graph.faults(body, path.takes, path.local) : [];
  return [...options, ...names, ...wrong];
}

describe("what the tools ask is in Microsoft's description of Graph", () => {
  const faults = requests.flatMap((one) => faultsOf(one).map((fault) => ({ file: one.file, text: `${one.method} ${pathOf(one)}: ${fault}` })));
  const found = requests.map((one) => graph.find(one.method, segmentsOf(pathOf(one)))).filter(Boolean);
  const pages = found.flatMap(({ page }) => page ?? []);

  test("each path, query option, selected property and member of a body", (t) => {
    const bySdk = found.length - pages.length;
    t.diagnostic(`${bySdk} requests held against the SDK, ${pages.length} against the table of documented ones, ${requests.length - found.length} exceptions`);
    const unexplained = faults.filter(({ text }) => !EXCEPTIONS.some(({ fault }) => fault.test(text)));
    assert.deepEqual([...new Set(unexplained.map(({ file, text }) => `${file}: ${text}`))], []);
    assert.ok(bySdk > 200);
  });

  test("every exception and every documented request is still needed", () => {
    assert.deepEqual(DOCUMENTED.map(({ page }) => page).filter((page) => !pages.includes(page)), []);
    const idle = EXCEPTIONS.filter(({ fault }) => !faults.some(({ text }) => fault.test(text)));
    assert.deepEqual(idle.map(({ page }) => page), []);
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
    assert.match(found("GET", "/me/onenote/notebooks?$expand=sections($select=id,colour;$top=5),sectionGroups")[0], /colour is not in OnenoteSection/);
    assert.match(found("GET", "/sites/contoso.example:/sites/x?$select=id,colour")[0], /colour is not in Site/);
    assert.match(found("GET", "/planner/plans/P/task")[0], /does not exist/);
    assert.match(found("GET", "/me/drive/root:/a/b:/children?$select=id,colour")[0], /colour is not in DriveItem/);
    assert.match(found("GET", "/drives/d/items/i:/a:/childs")[0], /does not exist/);
    assert.match(found("POST", "/me/drive/items/i/invite", { recipients: [{ address: "a@contoso.example" }] })[0], /recipients\.address is not in/);
    assert.match(found("GET", "/me/drive/items/i/workbook/worksheets/w/range(name='A1')")[0], /does not exist/);
    assert.match(found("POST", "/users/u/presence/clearUserPreferredPresence", { availability: "Busy" })[0], /takes no body/);
  });
});
