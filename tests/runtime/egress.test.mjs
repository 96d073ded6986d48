// The way out when it fails: who is named as the culprit, what is retried, what is sent exactly once, and that a grant
// outlives the failures of others.
import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import { Session, items, openStream, parsed, post, request } from "./support/mcp.mjs";
import { ADELE, random, refreshing, signIn, token } from "./support/oauth.mjs";
import { event, serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const server = await serve();
const { emulator, url } = server;
const newSession = async () => {
  const flow = await signIn(url);
  return Object.assign(await Session.open(url, flow.access), { flow });
};
const session = await newSession();
const LIST = ["getEmails", { count: 1 }];
const mail = (extra = {}) => ({ to: "megan@contoso.example", subject: `Once ${random(8)}`, body: "<p>Hello</p>", ...extra });
const sentOnce = async (subject) => assert.equal((await emulator.sent(ADELE, subject)).length, 1, subject);
const refreshes = async () => (await emulator.entraCalls()).filter((call) => call.grant_type === "refresh_token").length;

afterEach(() => emulator.clearFaults());

for (const fault of ["2003", "2009", "2029", "2041", "2045", "7003", "policy-deny", "policy-spend"]) {
  test(`gateway refusal ${fault} is told as policy, and Graph is not asked`, async () => {
    await emulator.fault("gateway", fault, { times: Infinity });
    const { result, calls } = await emulator.graphCallsDuring(() => session.failure(...LIST));
    assert.equal(result.source, "policy", JSON.stringify(result));
    assert.equal(result.mayHaveActed ?? false, false);
    assert.match(result.requestId, /^[0-9a-f-]{36}$/);
    assert.ok(result.hint.length > 0);
    assert.deepEqual(calls, []);
  });
}

test("a DLP block of the answer to a write says that it may have been done", async () => {
  await emulator.fault("gateway", "2030", { match: { method: "POST", path: "/teams/" } });
  const report = await session.failure("sendTeamsMessage", { teamId: "t", channelId: "c", message: "x" });
  assert.equal(report.source, "policy", JSON.stringify(report));
  assert.equal(report.mayHaveActed, true);
  assert.equal(report.retryable, false);
});

for (const [fault, status] of [["403", 403], ["404", 404], ["429", 429]]) {
  test(`Graph's ${status} is told as Graph's`, async () => {
    // A pause that Graph asks for is kept by all calls of the grant.
    const own = fault === "429" ? await newSession() : session;
    await emulator.fault("graph", fault, { times: Infinity, ...(fault === "429" ? { retryAfter: 120 } : {}) });
    const report = await own.failure(...LIST);
    assert.equal(report.source, "graph", JSON.stringify(report));
    assert.equal(report.retryAfter, fault === "429" ? 120 : undefined);
    const call = (await emulator.graphCalls()).at(-1);
    assert.equal(report.graphRequestId, call.requestId);
  });
}

test("a pause that Graph asks for is kept by the grant's next calls, and by nobody else's", async () => {
  const own = await newSession();
  await emulator.fault("graph", "429", { retryAfter: 120 });
  assert.equal((await own.failure(...LIST)).retryAfter, 120);
  const { result, calls } = await emulator.graphCallsDuring(() => own.failure(...LIST));
  assert.deepEqual([calls, result.source, result.retryable], [[], "graph", true]);
  assert.ok(result.retryAfter > 110 && result.retryAfter <= 120, JSON.stringify(result));
  assert.equal(items(await session.call(...LIST)).length, 1);
});

test("a throttled read waits for Retry-After and is done", async () => {
  await emulator.fault("graph", "429", { retryAfter: 1 });
  const began = performance.now();
  const { result, calls } = await emulator.graphCallsDuring(() => session.call(...LIST));
  assert.equal(items(result).length, 1);
  assert.deepEqual(calls.map((call) => call.status), [429, 200]);
  assert.ok(performance.now() - began >= 950, "not before the second is over");
  await event(server, "graph.throttled");
});

test("a Microsoft token that Graph refuses is renewed once and the call made once more", async () => {
  await emulator.expireMicrosoftTokens(ADELE);
  const before = await refreshes();
  const { result, calls } = await emulator.graphCallsDuring(() => session.call(...LIST));
  assert.equal(items(result).length, 1);
  assert.deepEqual(calls.map((call) => call.status), [401, 200]);
  assert.equal((await refreshes()) - before, 1);
});

test("a Graph that refuses the renewed token as well is not asked for ever", async () => {
  await emulator.fault("graph", "401", { times: Infinity });
  const before = await refreshes();
  const { calls } = await emulator.graphCallsDuring(() => session.raw(...LIST));
  assert.equal(calls.length, 2);
  assert.equal((await refreshes()) - before, 1);
});

test("parallel calls with an expired Microsoft token share one renewal", async () => {
  const own = await newSession();
  await emulator.expireMicrosoftTokens(ADELE);
  await emulator.fault("entra", "slow", { delayMs: 300, match: { path: "token" } });
  const before = await refreshes();
  const answers = await Promise.all(Array.from({ length: 6 }, () => own.raw(...LIST)));
  for (const { message, text } of answers) assert.ok(message.result && !message.result.isError, text);
  assert.equal((await refreshes()) - before, 1);
});

test("a sign-in that Entra has ended challenges the client, and its refresh token is over", async () => {
  const own = await newSession();
  await emulator.expireMicrosoftTokens();
  await emulator.revokeMicrosoftTokens();
  const answer = await own.raw(...LIST);
  assert.equal(answer.status, 401, answer.text);
  assert.match(answer.headers.get("www-authenticate"), /error="invalid_token"/);
  assert.equal((await token(url, refreshing(own.flow, own.flow.refresh))).body.error, "invalid_grant");
  // The other sessions of this file lost their Microsoft tokens too.
  Object.assign(session, await newSession());
});

test("a legacy stream's client learns by a 401 that its sign-in is over", async (t) => {
  const own = await newSession();
  const stream = await openStream(url, own.token);
  t.after(stream.close);
  const ask = () => post(url, { path: stream.path, token: own.token, body: request("tools/call", { name: "getEmails", arguments: {} }) });
  assert.equal((await ask()).status, 202);
  await emulator.expireMicrosoftTokens();
  await emulator.revokeMicrosoftTokens();
  const refused = await until("a 401", async () => {
    const answer = await ask();
    return answer.status === 401 && answer;
  });
  assert.match(refused.headers.get("www-authenticate"), /error="invalid_token"/);
  Object.assign(session, await newSession());
});

for (const fault of ["temporarily_unavailable", "unreachable", "invalid_client"]) {
  test(`the grant is kept when Entra fails with ${fault}`, async () => {
    await emulator.expireMicrosoftTokens();
    await emulator.fault("entra", fault, { times: Infinity });
    const answer = await session.raw(...LIST);
    assert.notEqual(answer.status, 401, answer.text);
    assert.ok(answer.status >= 500 || answer.message.result.isError, answer.text);
    await emulator.clearFaults();
    assert.equal(items(await session.call(...LIST)).length, 1);
  });
}

test("an unreachable gateway is a tool error that says so, and the grant is kept", async () => {
  await emulator.fault("gateway", "unreachable", { times: Infinity });
  const report = await session.failure(...LIST);
  assert.equal(report.source, "transport", JSON.stringify(report));
  assert.equal(report.retryable, true);
  await emulator.clearFaults();
  assert.equal(items(await session.call(...LIST)).length, 1);
});

test("an answer from the gateway's cache is thrown away", async () => {
  await emulator.fault("gateway", "cache-hit", { times: Infinity });
  const answer = await session.raw(...LIST);
  assert.equal(answer.message.result.isError, true, answer.text);
  assert.doesNotMatch(answer.text, /"from"/);
});

const HALF_DONE = [
  ["gateway", "act-then-2005"],
  ["gateway", "act-then-timeout", { delayMs: 200 }],
  ["graph", "act-then-504"],
];
const SENDING = { method: "POST", path: "/send" };
for (const [target, fault, options] of HALF_DONE) {
  test(`a mail under ${target} ${fault} is sent once by one call`, async () => {
    const sending = mail();
    await emulator.fault(target, fault, { times: Infinity, match: SENDING, ...options });
    await session.raw("sendEmail", sending);
    await sentOnce(sending.subject);
  });

  test(`a mail under ${target} ${fault} is still sent once when repeated with its idempotencyKey`, async () => {
    const sending = mail({ idempotencyKey: random(12) });
    await emulator.fault(target, fault, { match: SENDING, ...options });
    await session.raw("sendEmail", sending);
    parsed((await session.raw("sendEmail", sending)).message.result);
    parsed((await session.raw("sendEmail", sending)).message.result);
    await sentOnce(sending.subject);
  });

  test(`a mail whose draft was made under ${target} ${fault} is sent at most once`, async () => {
    const sending = mail({ idempotencyKey: random(12) });
    await emulator.fault(target, fault, { match: { method: "POST", path: "/me/messages" }, ...options });
    const answers = [await session.raw("sendEmail", sending), await session.raw("sendEmail", sending)];
    const said = answers.filter(({ message }) => !message.result.isError).length;
    const sent = (await emulator.sent(ADELE, sending.subject)).length;
    assert.ok(sent <= 1);
    if (said > 0) assert.equal(sent, 1);
  });
}

test("parallel calls with one idempotencyKey send one mail", async () => {
  const sending = mail({ idempotencyKey: random(12) });
  await Promise.all(Array.from({ length: 5 }, () => session.raw("sendEmail", sending)));
  parsed((await session.raw("sendEmail", sending)).message.result);
  await sentOnce(sending.subject);
});

test("an idempotencyKey that comes with another mail is refused, not answered with the first", async () => {
  const first = mail({ idempotencyKey: random(12) });
  await session.call("sendEmail", first);
  const other = { ...first, subject: `Other ${random(8)}` };
  assert.equal((await session.failure("sendEmail", other)).source, "arguments");
  assert.deepEqual(await emulator.sent(ADELE, other.subject), []);
});
