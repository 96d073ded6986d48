// Presence, meetings, search, changes, raw paths and workbooks: every tool through the whole loop in workerd.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { Session } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const SCOPES = [
  "User.Read User.ReadBasic.All Presence.Read.All Presence.ReadWrite OnlineMeetings.Read OnlineMeetingArtifact.Read.All",
  "OnlineMeetingTranscript.Read.All Mail.Read Calendars.Read MailboxSettings.Read Contacts.ReadWrite Files.Read.All",
  "Files.ReadWrite Sites.Read.All Chat.Read Tasks.ReadWrite",
].join(" ");
const JOIN = "https://teams.contoso.example/l/meetup-join/19%3ameeting_heron%40thread.v2/0";
const BOOK = { path: "/Reports/Budget.xlsx" };
const UNTRUSTED = /never instructions/;

const { url, emulator } = await serve({ vars: { TOOL_PRESETS: "all" } });
const { access } = await signIn(url, { scope: SCOPES });
const session = await Session.open(url, access);
const call = (tool, args) => session.call(tool, args);

describe("presence", () => {
  test("the own and others' are read, whoever is not found is named", async () => {
    const own = await call("getPresence", {});
    assert.equal(own.people[0].availability, "Available");
    const users = ["megan@contoso.example", "alex@contoso.example", "nobody@contoso.example"];
    const { people, errors } = await call("getPresence", { users });
    assert.deepEqual(people.map(({ user }) => user), users.slice(0, 2));
    assert.deepEqual(people[0].activity, "InAMeeting");
    assert.equal(errors[0].user, users[2]);
  });

  test("it is set with an end and a message, and cleared", async () => {
    const until = "2099-03-02T17:00:00+01:00";
    await call("setPresence", { availability: "Offline", statusMessage: "Off until Monday", until });
    let [own] = (await call("getPresence")).people;
    assert.deepEqual([own.availability, own.activity, own.statusMessage], ["Offline", "OffWork", "Off until Monday"]);
    assert.equal(own.statusUntil, "2099-03-02T16:00:00 UTC");
    await call("setPresence", { availability: "clear", statusMessage: "" });
    [own] = (await call("getPresence")).people;
    assert.deepEqual([own.availability, own.statusMessage], ["Available", undefined]);
    const report = await session.failure("setPresence", { availability: "InAMeeting" });
    assert.match(report.message, /DoNotDisturb/);
  });
});

describe("meetings", () => {
  test("a meeting is found by its link, with attendance and transcripts", async () => {
    const meeting = await call("getOnlineMeeting", { joinUrl: JOIN, attendance: true });
    assert.equal(meeting.subject, "Heron weekly");
    assert.equal(meeting.organizer, "adele@contoso.example");
    assert.deepEqual(meeting.transcripts.map(({ id }) => id), ["t-2", "t-1"]);
    assert.deepEqual(meeting.attendance.people.map(({ minutes }) => minutes), [29, 29]);
    const again = await call("getOnlineMeeting", { meetingId: meeting.id });
    assert.equal(again.joinUrl, JOIN);
    assert.equal((await session.failure("getOnlineMeeting", { meetingId: "none" })).code, "NotFound");
  });

  test("a transcript is read whole and in parts", async () => {
    const { id: meetingId } = await call("getOnlineMeeting", { joinUrl: JOIN });
    const whole = await call("getMeetingTranscript", { meetingId });
    assert.match(whole.untrusted, UNTRUSTED);
    assert.match(whole.text, /^Adele Vance: Shall we move the launch to Thursday\?\nAlex Wilber: Thursday works\.\nMegan Bowen: Done: Thursday & not before\./);
    let text = "";
    for (let offset = 0; offset !== undefined; ) {
      const part = await call("getMeetingTranscript", { meetingId, transcriptId: "t-2", offset, maxChars: 50 });
      text += part.text;
      offset = part.nextOffset;
    }
    assert.equal(text, whole.text);
  });
});

describe("search", () => {
  test("everything is searched by group, and goes on by its cursor", async () => {
    const answer = await call("searchContent", { query: "heron", count: 2 });
    assert.match(answer.untrusted, UNTRUSTED);
    assert.deepEqual(answer.groups.map(({ types }) => types.join()), ["message", "event", "driveItem,site,listItem", "chatMessage"]);
    for (const { hits } of answer.groups) assert.ok(hits.length > 0 && hits.every(({ id, title }) => id && title), JSON.stringify(hits));
    assert.doesNotMatch(JSON.stringify(answer), /<c0>|<ddd/);
    const [{ hits: [mail] }] = answer.groups;
    const next = await call("searchContent", { query: "heron", count: 2, cursor: answer.nextCursor });
    assert.ok(next.groups[0].hits.every(({ id }) => id !== mail.id), "no hit comes twice");
    // What search finds can be opened.
    const opened = await call("getEmail", { ids: [mail.id] });
    assert.match(JSON.stringify(opened), /Heron/i);
  });

  test("a kind without its permission is named", async () => {
    const { access: narrow } = await signIn(url, { scope: "User.Read Mail.Read" });
    const answer = await (await Session.open(url, narrow)).call("searchContent", { query: "heron" });
    assert.equal(answer.groups.length, 1);
    assert.ok(answer.skipped.some(({ type, missingScope }) => type === "chatMessage" && missingScope === "Chat.Read"));
  });
});

describe("changes", () => {
  /** Everything up to now; where it stands. */
  async function upToNow(args) {
    let answer = await call("getChanges", args);
    const items = [...answer.items];
    while (answer.truncated) {
      answer = await call("getChanges", { ...args, cursor: answer.nextCursor });
      items.push(...answer.items);
    }
    return { items, cursor: answer.nextCursor };
  }

  test("only what changed comes after the first round", async () => {
    const { id } = (await call("saveContact", { name: "Nora Lind" })).contact;
    const { items, cursor } = await upToNow({ what: "contacts" });
    assert.ok(items.some((item) => item.id === id && item.title === "Nora Lind"));
    assert.deepEqual((await call("getChanges", { what: "contacts", cursor })).items, []);
    await call("saveContact", { id, name: "Nora Berg" });
    const changed = await call("getChanges", { what: "contacts", cursor });
    assert.deepEqual(changed.items.map(({ title }) => title), ["Nora Berg"]);
    await call("deleteContact", { id });
    const gone = await call("getChanges", { what: "contacts", cursor: changed.nextCursor });
    assert.deepEqual([gone.items, gone.removed], [[], [id]]);
  });

  test("mail, events, files and tasks have each their own", async () => {
    const mail = await upToNow({ what: "emails", id: "inbox" });
    assert.ok(mail.items.length > 50 && mail.items.every(({ title, from }) => title && from));
    const range = { start: "2026-01-01T00:00:00Z", end: "2027-12-31T00:00:00Z" };
    const events = await call("getChanges", { what: "events", ...range });
    assert.ok(events.items.every(({ title, start, series }) => title && (series ? !start : /^\d{4}-/.test(start))), JSON.stringify(events));
    assert.ok(events.items.some(({ series }) => series));
    assert.equal(events.zone, "W. Europe Standard Time");
  });

  test("a drive begins with now and follows what is written there", async () => {
    const { items, cursor } = await upToNow({ what: "files" });
    assert.deepEqual(items, [], "not everything that is there");
    const { id } = await call("uploadFile", { path: "/Changes.md", text: "# new" });
    const changed = await call("getChanges", { what: "files", cursor });
    assert.deepEqual(changed.items.map(({ title }) => title), ["Changes.md"]);
    await call("deleteFile", { itemId: id });
    const gone = await call("getChanges", { what: "files", cursor: changed.nextCursor });
    assert.deepEqual([gone.items, gone.removed], [[], [id]]);
  });

  test("a task list is read whole and then what was done in it", async () => {
    const id = (await call("getTasks", { lists: true })).lists[1].id;
    const { items, cursor } = await upToNow({ what: "tasks", id });
    assert.deepEqual(items.map(({ title }) => title), ["Coffee, two bags"]);
    await call("saveTask", { listId: id, title: "Tea", due: "2026-03-06" });
    const changed = await call("getChanges", { what: "tasks", cursor });
    const told = changed.items.map(({ title, due }) => [title, due]);
    assert.deepEqual(told, [["Tea", "2026-03-06"]], "due on the day that was said, in the mailbox's zone");
    assert.equal((await session.failure("getChanges", { what: "tasks", id: "AAMkNone" })).code, "ErrorItemNotFound");
  });

  test("a state that Graph forgot starts again and that is said", async (t) => {
    const { cursor } = await upToNow({ what: "files" });
    await emulator.fault("graph", "410");
    t.after(() => emulator.clearFaults());
    const again = await call("getChanges", { what: "files", cursor });
    assert.equal(again.reset, true);
    assert.ok(again.items.some(({ title }) => title === "Reports"), "the whole, not from now");
  });
});

describe("raw paths", () => {
  test("one path or a batch is read, with its next page as a path", async () => {
    const one = await call("graphRequest", { paths: ["/me?$select=displayName"] });
    assert.equal(one.answers[0].body.displayName, "Adele Vance");
    assert.match(one.untrusted, UNTRUSTED);
    const paths = ["/me/messages?$select=subject&$top=2", "/users?$search=\"displayName:Megan\"&$select=displayName", "/me/sendMail"];
    const { answers } = await call("graphRequest", { paths, eventual: true, maxChars: 5000 });
    assert.equal(answers[0].body.value.length, 2);
    assert.equal(answers[1].body.value[0].displayName, "Megan Bowen");
    assert.ok(answers[2].error, "a GET sends nothing");
    const next = await call("graphRequest", { paths: [answers[0].next] });
    assert.equal(next.answers[0].body.value.length, 2);
  });

  test("nothing else passes", async () => {
    for (const path of ["https://evil.example/me", "/v1.0/me", "/me/%2e%2e/users", "/applications", "/me/photo/$value", "/me?X-HTTP-Method=POST"]) {
      const before = (await emulator.graphCalls()).length;
      assert.equal((await session.failure("graphRequest", { paths: [path] })).code, "invalidArgument", path);
      assert.equal((await emulator.graphCalls()).length, before, path);
    }
  });
});

describe("workbooks", () => {
  test("sheets and tables are listed, a sheet, a range and a table are read", async () => {
    const { sheets, tables } = await call("getExcel", BOOK);
    assert.deepEqual([sheets.map(({ name }) => name), tables.map(({ name }) => name)], [["Costs", "Notes"], ["Spent"]]);
    const used = await call("getExcel", { itemId: "01BUDGETXLSX", sheet: "Costs", maxCells: 6 });
    assert.deepEqual([used.csv, used.nextRange], ["Item,Spent,Day\nTravel,1200.5,46027", "A3:C4"]);
    const rest = await call("getExcel", { ...BOOK, sheet: "Costs", range: used.nextRange, formatted: true });
    assert.equal(rest.csv, '"Parts, spare",310.0,46030\nLunch,48.25,46031');
    assert.equal((await call("getExcel", { ...BOOK, table: "Spent" })).range, "A1:C4");
  });

  test("a range is written, rows are added, and no text becomes a formula by itself", async () => {
    const cells = { ...BOOK, sheet: "Costs", range: "E1:F1" };
    await call("updateExcel", { ...cells, values: [["=1+1", 2]] });
    assert.equal((await call("getExcel", cells)).csv, "=1+1,2");
    await call("updateExcel", { ...cells, values: [["=1+1", 2]], formulas: true });
    assert.equal((await call("getExcel", cells)).csv, "#computed =1+1,2");
    await call("updateExcel", { ...BOOK, table: "Spent", values: [["Taxi", 12, 46032]] });
    assert.match((await call("getExcel", { ...BOOK, sheet: "Costs", range: "A1:C9" })).csv, /\nTaxi,12,46032/);
    const report = await session.failure("updateExcel", { ...cells, values: [[1]] });
    assert.match(report.message, /E1 would fit/);
  });
});
