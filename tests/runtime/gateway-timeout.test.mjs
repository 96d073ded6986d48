// The gateway acts and never answers: our own time limit ends the wait, and the mail goes out once. Takes as long as
// that limit, so both cases run side by side.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Session, parsed } from "./support/mcp.mjs";
import { ADELE, ALEX, random, signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const LONGER_THAN_OUR_LIMIT_MS = 45_000;

const { emulator, url } = await serve();

describe("a mail sent under a gateway that does not answer", { concurrency: true }, () => {
  const silent = (match) => emulator.fault("gateway", "act-then-timeout", { delayMs: LONGER_THAN_OUR_LIMIT_MS, match });
  const mail = () => ({ to: "megan@contoso.example", subject: `Silent ${random(8)}`, body: "x", idempotencyKey: random(12) });

  test("is not sent again by the repeated call", async () => {
    const session = await Session.open(url, (await signIn(url, { user: ADELE })).access);
    const sending = mail();
    await silent({ method: "POST", path: "/send" });
    await session.raw("sendEmail", sending);
    parsed((await session.raw("sendEmail", sending)).message.result);
    assert.equal((await emulator.sent(ADELE, sending.subject)).length, 1);
  });

  test("a read ends as a tool error within our limit", async () => {
    const session = await Session.open(url, (await signIn(url, { user: ALEX })).access);
    await silent({ method: "GET", path: "/contacts" });
    await silent({ method: "GET", path: "/people" });
    const began = performance.now();
    const report = await session.failure("getContacts", { count: 1 });
    assert.equal(report.source, "transport", JSON.stringify(report));
    assert.ok(performance.now() - began < LONGER_THAN_OUR_LIMIT_MS);
  });
});
