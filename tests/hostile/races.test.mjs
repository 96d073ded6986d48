// The same step many times at once, over HTTP: whatever the interleaving, one branch is live afterwards. The counts are
// printed as diagnostics, because how often an answer is lost or repeated is worth knowing too.
// RFC 6749 section 10.5, RFC 9700 section 4.14.2.
import assert from "node:assert/strict";
import test from "node:test";
import { Session } from "../runtime/support/mcp.mjs";
import { redemption, refreshing, revoke, signIn, token, untilCode } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { atConsent, atOnce, beforeCallback, codeFrom, isLive, postConsent, tokenCalls } from "../runtime/support/steps.mjs";

const server = await serve();
const { emulator, url } = server;

const succeeded = (answers) => answers.filter(({ status }) => status === 200).map(({ body }) => body);

/** Every answer that is no success must be this refusal. */
function assertOthersRefused(answers, error) {
  for (const { status, body } of answers) if (status !== 200) assert.deepEqual([status, body.error], [400, error]);
}

async function living(pairs) {
  const distinct = [...new Set(pairs.map(({ access_token: access }) => access))];
  const states = await Promise.all(distinct.map((access) => isLive(url, access)));
  return distinct.filter((_, index) => states[index]);
}

for (const times of [20, 100]) {
  test(`of ${times} redemptions of one code one succeeds, and the replays end its grant`, async (t) => {
    const flow = await untilCode(url);
    const answers = await atOnce(times, () => token(url, redemption(flow)));
    const good = succeeded(answers);
    t.diagnostic(`${times} redemptions: ${good.length} succeeded, ${(await living(good)).length} live afterwards`);
    assert.equal(good.length, 1);
    assertOthersRefused(answers, "invalid_grant");
    assert.deepEqual(await living(good), []);
    assert.equal((await token(url, refreshing(flow, good[0].refresh_token))).body.error, "invalid_grant");
  });

  test(`${times} refreshes of one token are one rotation with one live branch`, async (t) => {
    const flow = await signIn(url);
    const answers = await atOnce(times, () => token(url, refreshing(flow, flow.refresh)));
    const good = succeeded(answers);
    const pairs = new Set(good.map((body) => `${body.access_token} ${body.refresh_token}`));
    const live = await living(good);
    t.diagnostic(`${times} refreshes: ${good.length} succeeded with ${pairs.size} pair, ${live.length} live afterwards`);
    assert.equal(good.length, times, "a client that sends twice loses nothing");
    assert.equal(pairs.size, 1);
    assert.equal(live.length, 1);
    assert.equal((await token(url, refreshing(flow, good[0].refresh_token))).status, 200);
  });

  test(`${times} refreshes while the successor is used already leave one live branch or none`, async (t) => {
    const flow = await signIn(url);
    const first = await token(url, refreshing(flow, flow.refresh));
    const answers = await atOnce(times, (index) =>
      index === Math.floor(times / 2) ? token(url, refreshing(flow, first.body.refresh_token)) : token(url, refreshing(flow, flow.refresh)),
    );
    const live = await living([first.body, ...succeeded(answers)]);
    t.diagnostic(`${times} with the successor among them: ${succeeded(answers).length} succeeded, ${live.length} live afterwards`);
    assertOthersRefused(answers, "invalid_grant");
    assert.ok(live.length <= 1, "never two branches");
    // The old token came again after its successor was used: two hold the family, so it ends.
    const after = await token(url, refreshing(flow, flow.refresh));
    assert.equal(after.body.error, "invalid_grant");
    assert.deepEqual(await living([first.body, ...succeeded(answers)]), []);
  });

  test(`a revocation among ${times} refreshes leaves nothing that lives`, async (t) => {
    const flow = await signIn(url);
    const work = (index) => (index === Math.floor(times / 2) ? revoke(url, flow, flow.refresh) : token(url, refreshing(flow, flow.refresh)));
    const answers = (await atOnce(times, work)).filter(Boolean);
    const good = succeeded(answers);
    t.diagnostic(`revocation among ${times} refreshes: ${good.length} succeeded, ${answers.length - good.length} refused`);
    assertOthersRefused(answers, "invalid_grant");
    assert.deepEqual(await living([...good, { access_token: flow.access }]), []);
    for (const refresh of new Set([flow.refresh, ...good.map((body) => body.refresh_token)])) {
      assert.equal((await token(url, refreshing(flow, refresh))).body.error, "invalid_grant");
    }
  });

  test(`a consent that is approved ${times} times at once leads to Microsoft once`, async (t) => {
    const flow = await atConsent(url);
    const answers = await atOnce(times, () => postConsent(flow));
    const away = answers.filter(({ status }) => status === 302);
    t.diagnostic(`${times} approvals: ${away.length} led to Microsoft`);
    assert.equal(away.length, 1);
    for (const { status } of answers) assert.ok([302, 409].includes(status), String(status));
  });

  test(`a callback that comes ${times} times at once gives one code and asks Entra once`, async (t) => {
    const flow = await beforeCallback(url);
    const before = await tokenCalls(emulator);
    const answers = await atOnce(times, () => flow.browser.request(flow.callback));
    const codes = answers.map(({ headers }) => headers.get("location")).filter(Boolean).map((to) => new URL(to).searchParams.get("code"));
    const asked = (await tokenCalls(emulator)) - before;
    t.diagnostic(`${times} callbacks: ${codes.length} redirects, ${asked} token call of Entra`);
    assert.equal(codes.length, 1);
    assert.equal(asked, 1);
    for (const { status } of answers) assert.ok([302, 400, 403].includes(status), String(status));
    assert.equal((await token(url, redemption({ ...flow, code: codes[0] }))).status, 200);
  });

  test(`${times} calls with an expired Microsoft token share one renewal`, async (t) => {
    const session = await Session.open(url, (await signIn(url)).access);
    await emulator.expireMicrosoftTokens();
    const before = await tokenCalls(emulator);
    const answers = await atOnce(times, () => session.raw("getEmails", { count: 1 }));
    const asked = (await tokenCalls(emulator)) - before;
    const bad = answers.filter(({ status, message }) => status !== 200 || message.result.isError);
    t.diagnostic(`${times} calls: ${times - bad.length} answered, ${asked} renewal`);
    assert.deepEqual(bad.map(({ status, message }) => ({ status, said: message?.result?.content ?? message })), []);
    assert.equal(asked, 1);
  });
}

test("sign-ins of one person at once become grants of their own, and ending one leaves the others", async () => {
  const flows = await atOnce(10, () => signIn(url));
  await revoke(url, flows[0], flows[0].refresh);
  const states = await Promise.all(flows.map(({ access }) => isLive(url, access)));
  assert.deepEqual(states, [false, ...Array.from({ length: 9 }, () => true)]);
});

test("a code and its replay by another client at once: only the owner is heard", async () => {
  const flow = { ...(await beforeCallback(url)) };
  const code = await codeFrom(flow);
  const stranger = await atConsent(url);
  const [own, ...foreign] = await atOnce(20, (index) => {
    const { clientId } = index === 0 ? flow : stranger;
    return token(url, redemption({ ...flow, clientId, code }));
  });
  assert.equal(own.status, 200);
  assertOthersRefused(foreign, "invalid_grant");
  assert.ok(await isLive(url, own.body.access_token), "another client's tries end nothing");
});
