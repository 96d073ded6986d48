// After a whole life of a grant nothing that opens it, and nothing of its mail, is left in any log line, KV value,
// object row or gateway log. Files are searched as bytes, so encodings and write-ahead logs count.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { Browser } from "./support/browser.mjs";
import { findIn, storedBytes, variants } from "./support/leaks.mjs";
import { Session } from "./support/mcp.mjs";
import {
  ADELE, approve, authorizeUrl, chooseAccountOnly, isAt, openConsent, pkce, random, redemption, refreshing, register, revoke, token,
  REDIRECT_URI,
} from "./support/oauth.mjs";
import { event, serve, userIdOf } from "./support/server.mjs";

const persist = mkdtempSync(join(tmpdir(), "m365-mcp-leaks-"));
after(() => rmSync(persist, { recursive: true, force: true }));

const SUBJECT = "Marker subject kestrel 90b1";
const BODY = "Marker body kestrel 4c7e";
const QUERY = "Marker query kestrel 6d22";
/** A word in every mail body of the emulator's Adele. */
const MAILBOX_MARKER = "marker-heron-5d1f";
/** What Entra's tokens and codes look like: JWTs, and its opaque ones. */
const MICROSOFT = /eyJ[A-Za-z0-9_-]{20}|(?<![A-Za-z0-9_-])1\.[A-Za-z0-9_-]{300}/;

const server = await serve({ persist });
const { emulator, url } = server;

/** A sign-in that keeps every secret it meets; then mail read, searched, sent; refreshed; some failures. */
async function live() {
  const { client_id: clientId } = await register(url);
  const { verifier, challenge } = pkce();
  const state = random(16);
  const browser = new Browser();
  const consent = await openConsent(browser, authorizeUrl(url, { clientId, challenge, state }));
  const accounts = await approve(browser, consent);
  const { url: callback } = await chooseAccountOnly(browser, accounts, ADELE);
  const cookies = browser.jar.all().map((cookie) => cookie.value).filter((value) => value.length > 8);
  const end = await browser.visit(callback, { stop: isAt(REDIRECT_URI) });
  const flow = { clientId, verifier, redirectUri: REDIRECT_URI, code: end.url.searchParams.get("code") };
  const first = (await token(url, redemption(flow))).body;
  await use(first.access_token);
  await emulator.expireMicrosoftTokens();
  const second = (await token(url, refreshing(flow, first.refresh_token))).body;
  await use(second.access_token);
  await token(url, refreshing(flow, random()));
  const upstream = [callback.searchParams.get("state"), callback.searchParams.get("code")];
  const pairs = [first, second].flatMap((body) => [body.access_token, body.refresh_token]);
  return { flow, second, state, secrets: [verifier, flow.code, ...upstream, ...cookies, ...pairs, ...Object.values(server.secrets)] };
}

async function use(access) {
  const session = await Session.open(url, access);
  await session.call("getEmails", { count: 5 });
  await session.raw("searchEmails", { query: QUERY });
  await session.call("sendEmail", { to: "megan@contoso.example", subject: SUBJECT, body: BODY, idempotencyKey: random(12) });
  await emulator.fault("gateway", "2029");
  await session.failure("sendEmail", { to: "megan@contoso.example", subject: SUBJECT, body: BODY });
  await emulator.fault("graph", "403");
  await session.failure("getEmails", { count: 1 });
  await session.send("resources/read", { uri: "microsoft://profile" });
  await useStream(access);
}

/** The same over a legacy stream, whose messages take another way through the object. */
async function useStream(access) {
  const headers = { authorization: `Bearer ${access}` };
  const client = new Client({ name: "runtime-test", version: "1.0.0" });
  await client.connect(new SSEClientTransport(new URL(`${url}/sse`), { requestInit: { headers } }));
  await client.callTool({ name: "getEmails", arguments: { count: 5 } });
  await client.callTool({ name: "searchEmails", arguments: { query: QUERY } });
  await client.close();
}

test("no token, code, secret or mail text is left anywhere", async (t) => {
  const { flow, second, state, secrets } = await live();
  await event(server, "ai-gateway-request");
  const texts = [SUBJECT, BODY, QUERY, MAILBOX_MARKER];
  const places = {
    "log lines": Buffer.from(server.logs().map(({ message }) => message).join("\n")),
    "KV and objects": storedBytes(persist),
    "gateway log": Buffer.from(JSON.stringify(await emulator.gatewayLogs())),
  };

  await t.test("the search finds what is meant to be there", () => {
    assert.ok(findIn(places["log lines"], userIdOf(ADELE)));
    assert.ok(findIn(places["KV and objects"], flow.clientId), "the registered client");
    assert.ok(findIn(places["KV and objects"], userIdOf(ADELE)), "the grant");
    assert.ok(findIn(places["gateway log"], userIdOf(ADELE)));
  });

  for (const [place, bytes] of Object.entries(places)) {
    await t.test(place, () => {
      secrets.forEach((secret, index) => {
        for (const form of variants(secret)) assert.ok(!findIn(bytes, form), `secret ${index} (${secret.slice(0, 6)}…)`);
      });
      for (const text of texts) for (const form of variants(text)) assert.ok(!findIn(bytes, form), text);
      const microsoft = bytes.toString("latin1").match(MICROSOFT);
      assert.equal(microsoft, null, `at ${microsoft?.index}: ${bytes.toString("latin1").slice(microsoft?.index - 80, microsoft?.index + 40)}`);
    });
  }

  await t.test("the client's state is in no log", () => {
    for (const place of ["log lines", "gateway log"]) assert.ok(!findIn(places[place], state), place);
  });

  await t.test("the log lines say nothing that is not in their contract", () => {
    for (const entry of server.events()) {
      for (const value of Object.values(entry)) assert.ok(!/m365[arcs]\./.test(String(value)), JSON.stringify(entry));
    }
  });

  await t.test("a revoked grant's sealed tokens are erased", async () => {
    await revoke(url, flow, second.refresh_token);
    await event(server, "grant.revoked");
    assert.equal((await token(url, refreshing(flow, second.refresh_token))).status, 400);
  });
});
