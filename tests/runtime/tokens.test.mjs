// What a model pays: the lists of tools, and answers over Carla's mailbox, which is like those that people have.
// Prints both tables.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { formatted, listText, readCatalogue, tokenTable, tokensOf } from "../../scripts/lib/catalogue.mjs";
import { TODAY, allScopes } from "./support/catalogue.mjs";
import { Session, initialize, items, post, request } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const CARLA = "carla@contoso.example";
const WEEK = { start: `${TODAY}T00:00:00+01:00`, end: "2026-03-09T00:00:00+01:00" };

const { url } = await serve({ vars: { TOOL_PRESETS: "all" }, today: TODAY });
const { access } = await signIn(url, { user: CARLA, scope: allScopes().join(" ") });
const session = await Session.open(url, access);
const catalogue = readCatalogue();

const print = (t, rows, columns) => formatted(rows, columns).forEach((line) => t.diagnostic(line));

test("every list is cheaper than its bound", (t) => {
  const rows = tokenTable(catalogue);
  print(t, rows, ["tools", "tokens", "below"]);
  for (const { name, tokens, below = Infinity } of rows) assert.ok(tokens < below, `${name}: ${tokens}`);
});

test("what is counted is what the server lists", async () => {
  for (const presets of [undefined, ["core"], ["mail", "calendar"], ["people", "teams"]]) {
    const path = presets ? `/mcp?presets=${presets.join(",")}` : "/mcp";
    const opened = await post(url, { path, token: access, body: initialize() });
    const listed = await post(url, { path, token: access, session: opened.headers.get("mcp-session-id"), body: request("tools/list") });
    assert.ok(listed.text.includes(`"tools":${listText(catalogue, presets)}`), `${presets}`);
  }
});

/** The text of an answer, its tokens, and what it holds. */
async function cost(name, tool, args) {
  const answer = await session.raw(tool, args);
  const { result } = answer.message;
  assert.ok(!result.isError, result.content[0].text);
  const text = result.content.map((block) => block.text).join("");
  return { name, text, answer: JSON.parse(text), tokens: tokensOf(text) };
}

describe("answers over a mailbox like those that people have", async () => {
  const mails = await cost("getEmails, 10 mails", "getEmails", { count: 10 });
  const ids = mails.answer.emails.map(({ id }) => id);
  const [team] = items(await session.call("getTeams"));
  const [, prices] = items(await session.call("getTeams", { teamId: team.id }));
  const [chat] = items(await session.call("getChats", { type: "group" }));
  const rows = [
    { ...mails, below: 2500 },
    { ...(await cost("getCalendarEvents, a week", "getCalendarEvents", { ...WEEK, count: 100 })), below: 1500 },
    { ...(await cost("searchEmails, 10 mails", "searchEmails", { query: "Carla", count: 10 })), below: 2500 },
    { ...(await cost("getEmail, 10 mails, default", "getEmail", { ids })), below: 10_000 },
    { ...(await cost("getEmail, 10 mails, maxChars 1000", "getEmail", { ids, maxChars: 1000 })), below: 4500 },
    { ...(await cost("getChats, 20", "getChats", {})), below: 500 },
    { ...(await cost("getChatMessages, 20", "getChatMessages", { chatId: chat.id })), below: 1500 },
    { ...(await cost("getChannelMessages, 20", "getChannelMessages", { teamId: team.id, channelId: prices.id })), below: 1500 },
    { ...(await cost("getContacts, 50 people", "getContacts", {})), below: 2000 },
    { ...(await cost("getContacts, address book", "getContacts", { source: "contacts" })), below: 2500 },
  ];

  test("each is cheaper than its bound", (t) => {
    const found = rows.map(({ text, ...row }) => ({ ...row, chars: text.length }));
    print(t, found, ["tokens", "below", "chars"]);
    for (const { name, tokens, below } of rows) assert.ok(tokens < below, `${name}: ${tokens}`);
  });

  test("they are about what they should be about", () => {
    const [list, week, , read] = rows.map(({ answer }) => answer);
    assert.equal(list.emails.length, 10);
    assert.ok(week.events.length >= 15 && !week.truncated, `${week.events.length} events`);
    assert.equal(week.events.filter(({ subject }) => subject === "Stand-up purchasing").length, 4, "one of five was cancelled");
    assert.ok(week.events.some(({ allDay }) => allDay));
    assert.equal(read.emails.length, 10);
    assert.ok(rows.at(-5).answer.items.length >= 2 && rows.at(-4).answer.items.length === 20 && rows.at(-3).answer.items.length === 20);
  });

  test("no mail shows the history below it, nor what a reader cannot see", () => {
    const { text, answer } = rows[3];
    assert.ok(answer.emails.some(({ body }) => body.includes("Clause 7") || body.includes("clause 7")));
    for (const quoted of ["names the old cost centre", "listed them below"]) assert.ok(!text.includes(quoted), quoted);
    assert.doesNotMatch(rows[0].text + text, /[\u034f\u00ad\u200b-\u200f\u2007\u00a0]|   /);
  });
});
