// The tools of files through the whole loop, and the one way on which contents come: straight from the host that keeps
// them, by an address that Graph hands out.
import assert from "node:assert/strict";
import test from "node:test";
import { Session } from "./support/mcp.mjs";
import { ALEX, signIn } from "./support/oauth.mjs";
import { event, serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const SCOPE = "User.Read Files.ReadWrite Files.ReadWrite.All";
const server = await serve({ vars: { TOOL_PRESETS: "files" } });
const { url, emulator, emulatorUrl } = server;
const session = await Session.open(url, (await signIn(url, { scope: SCOPE })).access);

/** Asks the contents' host as the user's own program would. */
const atHost = (address, init = {}) => {
  const { host, pathname, search } = new URL(address);
  assert.equal(host, "contoso-my.sharepoint.com");
  return import("node:http").then(
    ({ request }) =>
      new Promise((resolve, reject) => {
        const { port } = new URL(emulatorUrl);
        const asked = request({ host: "127.0.0.1", port, path: pathname + search, method: init.method ?? "GET", headers: { host, ...init.headers } }, (answer) => {
          const chunks = [];
          answer.on("data", (chunk) => chunks.push(chunk));
          answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks) }));
        });
        asked.on("error", reject);
        asked.end(init.body);
      }),
  );
};

test("folders are listed by path, by id, page by page, in another drive, and searched", async () => {
  const root = await session.call("listFiles");
  assert.ok(root.files.some(({ name, children }) => name === "Reports" && children === 1), JSON.stringify(root));
  const year = await session.call("listFiles", { path: "/Reports/2026", count: 3 });
  assert.deepEqual([year.files.length, year.truncated], [3, true]);
  const rest = await session.call("listFiles", { path: "/Reports/2026", count: 3, cursor: year.nextCursor });
  assert.deepEqual([rest.files.length, rest.truncated], [1, false]);
  const { files } = await session.call("listFiles", { query: "hire's people" });
  assert.deepEqual(files, []);
  const found = await session.call("listFiles", { query: "team's plan", path: "/Reports" });
  assert.deepEqual(found.files.map(({ name, in: within }) => [name, within]), [["Team's plan 100%.md", "/Reports/2026"]]);
  const shared = root.files.find(({ name }) => name === "Alex's reports");
  const below = await session.call("listFiles", { driveId: shared.driveId, itemId: shared.id, path: "2026", count: 100 });
  assert.ok(below.files.some(({ name }) => name === "notes.txt"));
});

test("a text is read by parts, from the host that keeps it, without a credential", async () => {
  const calls = (await emulator.filesCalls()).length;
  const first = await session.call("readFile", { path: "/Reports/2026/notes.txt", maxChars: 20 });
  assert.equal(first.text, "Numbers are due on F".trim());
  assert.equal(first.truncated, true);
  const rest = await session.call("readFile", { path: "/Reports/2026/notes.txt", offset: first.nextOffset });
  assert.match(rest.text, /^riday\.\s+Ask Megan about travel\.$/);
  for (const { method, headers, status } of (await emulator.filesCalls()).slice(calls)) {
    assert.deepEqual([method, status], ["GET", 200]);
    assert.ok(!headers.includes("authorization") && !headers.includes("cookie"), headers.join());
  }
  const line = await event(server, "file.download");
  assert.deepEqual([line.route, line.status, line.bytes, line.tool], ["sharepoint.com", 200, 53, "readFile"]);
  const log = server.logs().map(({ message }) => message).join("\n");
  assert.ok(!log.includes("tempauth") && !log.includes("notes.txt"));
});

test("facts, versions, a link, a page, a sharing link, and what has no text", async () => {
  const info = await session.call("readFile", { path: "/Reports/2026/Team's plan 100%.md", as: "info" });
  assert.deepEqual([info.name, info.in, info.type], ["Team's plan 100%.md", "/Reports/2026", "text/markdown"]);
  const { versions } = await session.call("readFile", { itemId: info.id, as: "versions" });
  assert.deepEqual(versions.map(({ id }) => id), ["2.0", "1.0"]);
  const { link } = await session.call("readFile", { itemId: info.id, as: "link" });
  assert.match((await atHost(link)).body.toString(), /hire two people/);
  assert.equal((await atHost(link, { headers: { authorization: "Bearer x" } })).status, 401);
  const page = await session.call("readFile", { shareUrl: "https://contoso-my.sharepoint.com/:t:/g/Ealex" });
  assert.match(page.text, /Stand 12, hall B/);
  assert.ok(!page.text.includes("<") && page.untrusted);
  const logo = await session.call("readFile", { path: "/logo.png" });
  assert.ok(logo.note && !("text" in logo));
});

test("a host that redirects, refuses, goes on for ever or is not there gives an error and no text", async (t) => {
  t.after(() => emulator.clearFaults());
  for (const [fault, code] of Object.entries({ redirect: "DownloadRedirected", expired: "DownloadRefused", endless: "DownloadTooLarge", unreachable: "DownloadUnreachable" })) {
    await emulator.fault("files", fault);
    const report = await session.failure("readFile", { path: "/Reports/2026/notes.txt" });
    assert.equal(report.code, code, JSON.stringify(report));
    assert.equal((await emulator.ask("GET", "/faults")).length, 0, `${fault}: asked once`);
  }
});

test("a file is written, kept from being overwritten, replaced by its version, renamed, moved, copied and deleted", async () => {
  const path = "/Drafts/Plan ä#1.md";
  const made = await session.call("uploadFile", { path, text: "# Plan ä\n" });
  assert.equal(made.status, "created");
  assert.match((await session.failure("uploadFile", { path, text: "x" })).message, /^path: something of this name/);
  const second = await session.call("uploadFile", { path, base64: "IyB0d28=", ifExists: "replace", etag: made.etag });
  assert.equal(second.status, "replaced");
  assert.equal((await session.failure("uploadFile", { itemId: made.id, text: "x", etag: made.etag })).hint, "It was changed meanwhile: read it again first.");
  await session.call("uploadFile", { itemId: made.id, text: "# three", etag: second.etag });
  assert.equal((await session.call("readFile", { itemId: made.id })).text, "# three");
  const large = await session.call("uploadFile", { path: "/Drafts/large.txt", text: "x".repeat(2_900_000) });
  assert.equal(large.size, 2_900_000);

  await session.call("manageFile", { action: "createFolder", path: "/Drafts", name: "Old" });
  const renamed = await session.call("manageFile", { action: "rename", itemId: made.id, name: "Plan 2.md" });
  assert.deepEqual([renamed.status, renamed.name, renamed.id], ["renamed", "Plan 2.md", made.id]);
  await session.call("manageFile", { action: "move", path: "/Drafts/Plan 2.md", toFolder: "/Drafts/Old" });
  const copied = await session.call("manageFile", { action: "copy", itemId: made.id, toFolder: "/", toDrive: "b!marketing-library", name: "Plan of Adele.md" });
  assert.equal(copied.status, "started");
  const there = await session.call("readFile", { driveId: "b!marketing-library", path: "/Plan of Adele.md" });
  assert.equal(there.text, "# three");

  const planned = await session.call("deleteFile", { path: "/Drafts", dryRun: true });
  assert.deepEqual([planned.status, planned.would.delete.children], ["dryRun", 2]);
  assert.equal((await session.call("deleteFile", { path: "/Drafts" })).status, "deleted");
  assert.equal((await session.failure("readFile", { itemId: made.id })).code, "itemNotFound");
});

test("a large file is uploaded past the model and this server, by the link", async () => {
  const size = 400_000;
  const { link, note, expires } = await session.call("uploadFile", { path: "/Reports/2026/data.bin", size });
  assert.ok(expires && note.includes(`bytes 0-${size - 1}/${size}`));
  const headers = { "content-range": `bytes 0-${size - 1}/${size}`, "content-length": String(size) };
  assert.equal((await atHost(link, { method: "PUT", headers, body: Buffer.alloc(size, 7) })).status, 201);
  assert.equal((await session.call("readFile", { path: "/Reports/2026/data.bin", as: "info" })).size, size);
});

test("access is given, listed and taken away", async () => {
  const path = "/Trade fair.html";
  const { access } = await session.call("shareFile", { path, action: "link", access: "edit", scope: "anonymous", expires: "2099-01-01T00:00:00Z" });
  assert.deepEqual([access.scope, access.roles, access.expires], ["anonymous", "write", "2099-01-01T00:00:00Z"]);
  await session.call("shareFile", { path, action: "invite", users: [ALEX], access: "view", message: "Have a look." });
  const list = await session.call("shareFile", { path });
  const alex = list.access.find(({ who }) => who?.[0].includes(ALEX));
  assert.equal(list.access.length, 3);
  const info = await session.call("readFile", { path, as: "info" });
  const other = await Session.open(url, (await signIn(url, { scope: SCOPE, user: ALEX })).access);
  const driveId = "b!ad000000000040008000000000000001";
  assert.match((await other.call("readFile", { driveId, itemId: info.id })).text, /Trade fair/);
  await session.call("shareFile", { path, action: "remove", permissionId: alex.id });
  for (const { id, scope } of list.access) if (scope === "anonymous") await session.call("shareFile", { path, action: "remove", permissionId: id });
  assert.equal((await other.failure("readFile", { driveId, itemId: info.id })).code, "accessDenied");
});

test("a server that may not fetch contents says so and asks no host", async () => {
  const off = await serve({ vars: { TOOL_PRESETS: "files", FILE_CONTENT: "off" } });
  const caller = await Session.open(off.url, (await signIn(off.url, { scope: SCOPE })).access);
  const answer = await caller.call("readFile", { path: "/Reports/2026/notes.txt" });
  assert.ok(answer.note.includes("as=link") && !("text" in answer));
  assert.match((await caller.call("readFile", { path: "/Reports/2026/notes.txt", as: "link" })).link, /^https:\/\/contoso-my\.sharepoint\.com\//);
  await until("the calls", async () => (await off.emulator.graphCalls()).length > 0);
  assert.deepEqual(await off.emulator.filesCalls(), []);
});
