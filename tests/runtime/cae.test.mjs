// Claims challenges of Graph (continuous access evaluation, authentication contexts), met by the published TypeScript
// SDK: by a renewal that nobody notices, or by its user's next sign-in.
import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { parsed } from "./support/mcp.mjs";
import { Browser } from "./support/browser.mjs";
import { ADELE, approve, chooseAccount, openConsent, random } from "./support/oauth.mjs";
import { Keeper, TRANSPORTS, connect } from "./support/sdk.mjs";
import { serve } from "./support/server.mjs";

const makeTransport = TRANSPORTS["Streamable HTTP on /mcp"];
const { emulator, url } = await serve();
const LIST = { name: "getEmails", arguments: { count: 1 } };
const sentMail = () => ({ to: "megan@contoso.example", subject: `Challenged ${random(8)}`, body: "x" });

/** An application that drops tokens which do not count any more, as applications do. */
class Application extends Keeper {
  invalidateCredentials(what) {
    if (what === "tokens" || what === "all") this.kept = undefined;
  }
}

/** What a page of Entra was asked to put into the access token. */
const claimsOf = (page) => JSON.parse(page.url.searchParams.get("claims")).access_token;
const statuses = (calls) => calls.map((call) => call.status);

afterEach(() => emulator.clearFaults());

test("a challenge that Entra meets without the user costs one renewal, for a write as well", async () => {
  const { client, keeper } = await connect(makeTransport, url);
  await emulator.fault("graph", "401-claims", { times: Infinity });
  const letter = sentMail();
  const sending = await emulator.graphCallsDuring(() => client.callTool({ name: "sendEmail", arguments: letter }));
  parsed(sending.result);
  assert.deepEqual(statuses(sending.calls).filter((status) => status === 401), [401], "one challenge, one renewal");
  assert.equal((await emulator.sent(ADELE, letter.subject)).length, 1);
  const listing = await emulator.graphCallsDuring(() => client.callTool(LIST));
  parsed(listing.result);
  assert.deepEqual([...new Set(statuses(listing.calls))], [200], "the renewed token is kept");
  assert.equal(keeper.saved.tokens, 1);
  await client.close();
});

test("a challenge that needs the user is met by the SDK's next sign-in", async () => {
  const keeper = new Application();
  const { client } = await connect(makeTransport, url, { keeper });
  await emulator.fault("graph", "401-acrs", { times: Infinity });
  await assert.rejects(client.callTool(LIST), UnauthorizedError);
  await client.close();

  const browser = new Browser();
  const first = await approve(browser, await openConsent(browser, keeper.address.href));
  assert.deepEqual(Object.keys(claimsOf(first)), ["xms_cc"], "nobody knows yet who signs in");
  const second = await chooseAccount(browser, first, ADELE);
  assert.deepEqual(claimsOf(second), { acrs: { essential: true, value: "c1" }, xms_cc: { values: ["cp1"] } });
  assert.equal(second.url.searchParams.get("login_hint"), ADELE);
  const end = await chooseAccount(browser, second, ADELE);
  const transport = makeTransport(url, { authProvider: keeper });
  await transport.finishAuth(end.url.searchParams.get("code"));

  const again = await connect(makeTransport, url, { keeper });
  const { result, calls } = await emulator.graphCallsDuring(() => again.client.callTool(LIST));
  parsed(result);
  assert.deepEqual([...new Set(statuses(calls))], [200], "the order still stands, and this token satisfies it");
  await again.client.close();
});

test("the sign-in after it goes to Entra once", async () => {
  const { client } = await connect(makeTransport, url);
  parsed(await client.callTool(LIST));
  await client.close();
});
