// To Do, Planner, OneNote and SharePoint through the real loop: each tool with a least and a fullest input.
import assert from "node:assert/strict";
import test from "node:test";
import { signIn } from "./support/oauth.mjs";
import { Session } from "./support/mcp.mjs";
import { serve } from "./support/server.mjs";

const { url } = await serve({ vars: { TOOL_PRESETS: "all" } });
const { access } = await signIn(url);
const session = await Session.open(url, access);
const call = (name, args) => session.call(name, args);
const ALEX = "a1000000-0000-4000-8000-000000000002";

test("tasks of To Do are read, created, changed and deleted", async () => {
  const mine = await call("getTasks");
  assert.equal(mine.zone, "W. Europe Standard Time");
  assert.equal(mine.truncated, true, "thirty of one list do not fit");
  assert.match(mine.tasks[0].due, /^\d{4}-\d\d-\d\d$/, "what is due comes first, as a day of the mailbox's zone");
  const { lists } = await call("getTasks", { lists: true });
  const home = lists.find((list) => list.default);
  const packing = lists.find((list) => list.name === "Packing");
  const first = await call("getTasks", { listId: packing.id, count: 20 });
  const second = await call("getTasks", { listId: packing.id, count: 20, cursor: first.nextCursor });
  assert.deepEqual([first.tasks.length, second.tasks.length, second.truncated], [20, 10, false]);
  const [done] = (await call("getTasks", { listId: home.id, completed: true })).tasks;
  assert.equal(done.done, true);

  const least = await call("saveTask", { title: "Call Nora" });
  assert.deepEqual([least.status, least.listId], ["created", home.id]);
  const fullest = { listId: packing.id, title: "Socks", notes: "Two\npairs", due: "2026-03-02", reminder: "2026-03-01T09:00:00", importance: "high", idempotencyKey: "once" };
  const { id } = await call("saveTask", fullest);
  assert.match((await call("saveTask", fullest)).note, /earlier call/);
  const [task] = (await call("getTasks", { listId: packing.id, id })).tasks;
  assert.deepEqual([task.due, task.reminder, task.importance, task.notes], ["2026-03-02", "2026-03-01T09:00:00", "high", "Two\npairs"]);
  await call("saveTask", { listId: packing.id, id, done: true, due: "", reminder: "" });
  const [changed] = (await call("getTasks", { listId: packing.id, id })).tasks;
  assert.deepEqual([changed.done, changed.due, changed.reminder], [true, undefined, undefined]);

  assert.equal((await call("deleteTask", { listId: packing.id, id, dryRun: true })).would.delete.title, "Socks");
  assert.equal((await call("deleteTask", { listId: packing.id, id })).status, "deleted");
  assert.equal((await session.failure("getTasks", { listId: packing.id, id })).code, "ErrorItemNotFound");
});

test("tasks of Planner are written with the etag of the moment", async () => {
  const mine = await call("getTasks", { source: "planner" });
  assert.deepEqual(mine.tasks.map((task) => task.done), [undefined, undefined], "done ones and those of others are left out");
  const { lists } = await call("getTasks", { source: "planner", lists: true });
  assert.equal(lists.length, 1, "plans of groups that I am in");
  const plan = lists[0].id;
  const buckets = (await call("getTasks", { source: "planner", lists: true, listId: plan })).lists;
  const fullest = { source: "planner", listId: plan, bucketId: buckets[1].id, title: "Print labels", notes: "A4", due: "2026-03-02", importance: "low", done: false, assignees: [ALEX] };
  const { id, note } = await call("saveTask", fullest);
  assert.equal(note, undefined);
  await call("saveTask", { source: "planner", id, done: true, assignees: [], notes: "A5" });
  const [task] = (await call("getTasks", { source: "planner", id })).tasks;
  assert.deepEqual([task.done, task.notes, task.assignees, task.bucketId], [true, "A5", undefined, buckets[1].id]);
  assert.equal((await call("getTasks", { source: "planner", listId: plan, completed: true })).tasks.length, 2);
  assert.equal((await call("deleteTask", { source: "planner", id, dryRun: true })).would.delete.title, "Print labels");
  assert.equal((await call("deleteTask", { source: "planner", id })).task.done, true);
});

test("notes are found, read, written and appended to", async () => {
  const [book] = (await call("getNotes")).items;
  const sections = (await call("getNotes", { notebookId: book.id })).items;
  assert.deepEqual(sections.map((section) => section.group), [undefined, undefined, "Suppliers", "Suppliers/Former"]);
  const ideas = await call("getNotes", { sectionId: sections[1].id, count: 20 });
  const rest = await call("getNotes", { sectionId: sections[1].id, count: 20, cursor: ideas.nextCursor });
  assert.deepEqual([ideas.items.length, rest.items.length], [20, 10]);
  const [minutes] = (await call("getNotes", { search: "MINUTES" })).items;
  assert.equal(minutes.section, "Meetings");
  const page = await call("getNotes", { pageId: minutes.id });
  assert.match(page.text, /^Present: Adele, Megan & Nora\n\n- Launch stays in May/);
  assert.equal((await call("getNotes", { pageId: minutes.id, maxChars: 100 })).truncated, false);

  const hostile = '</body></html><h1>Plan</h1><img src="https://evil.example/?d=1"><script>x()</script><ul><li>One<li>Two</ul><p>a < b';
  const fullest = { sectionId: sections[0].id, title: "</title><b>Plan & more", content: hostile, contentType: "html", idempotencyKey: "note" };
  const { id } = await call("saveNote", fullest);
  assert.equal((await call("saveNote", { pageId: id, content: "Later: \"done\" & gone" })).status, "appended");
  const written = await call("getNotes", { pageId: id });
  assert.equal(written.title, "</title><b>Plan & more");
  assert.equal(written.text, 'Plan\n\n- One\n\n- Two\n\na < b\n\nLater: "done" & gone');
  assert.equal((await call("saveNote", { sectionId: sections[0].id, title: "Short", content: "x" })).status, "created");
  assert.equal((await session.failure("getNotes", { pageId: "1-nothing" })).code, "20102");
});

test("sites are found, and list items read, saved and deleted", async () => {
  assert.equal((await call("getSites")).sites.length, 3);
  const [found] = (await call("getSites", { search: "heron", count: 1 })).sites;
  const { site, lists, drives } = await call("getSites", { siteId: "contoso.sharepoint.example:/sites/heron" });
  assert.equal(site.id, found.id);
  assert.deepEqual([lists.map((list) => list.name), drives.length], [["Documents", "Suppliers"], 1]);
  const at = { siteId: site.id, listId: lists[1].id };
  const all = await call("getListItems", at);
  assert.deepEqual([all.items.length, all.truncated], [50, true]);
  assert.deepEqual(Object.keys(all.items[0].fields).sort(), ["Country", "Products", "Rating", "Status", "Title"]);
  const next = await call("getListItems", { ...at, cursor: all.nextCursor });
  assert.deepEqual([next.items.length, next.truncated], [10, false]);
  const open = await call("getListItems", { ...at, filter: "fields/Status eq 'Done'", fields: ["Title"], count: 5 });
  assert.deepEqual(Object.keys(open.items[0].fields), ["Title"]);
  assert.match((await session.failure("getListItems", { ...at, filter: "fields/Country eq 'Germany'" })).message, /indexed/);

  const { id } = await call("saveListItem", { ...at, fields: { Title: "Trey", Products: ["Glue", "Tape"] }, idempotencyKey: "item" });
  await call("saveListItem", { ...at, id, version: 1, fields: { Status: "Done" } });
  assert.match((await session.failure("saveListItem", { ...at, id, version: 1, fields: { Status: "Open" } })).message, /at 2 by now/);
  const plan = await call("saveListItem", { ...at, id, delete: true, dryRun: true });
  assert.deepEqual([plan.would.item.fields.Title, plan.would.item.fields.Products], ["Trey", ["Glue", "Tape"]]);
  assert.equal((await call("saveListItem", { ...at, id, version: 2, delete: true })).status, "deleted");
  assert.equal((await session.failure("saveListItem", { ...at, id, delete: true })).code, "itemNotFound");
});
