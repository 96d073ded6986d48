// The sign-in in a real browser, whose rules no imitation has: the content security policy along the whole redirect
// chain, cookies on localhost, what is loaded from where.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test, { after } from "node:test";
import { LOOKS, assertFits, findChromium, launch, newPage as freshPage, shoot } from "./support/chromium.mjs";
import { ADELE, authorizeUrl, pkce, random, redemption, register, token } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const executablePath = await findChromium();

if (executablePath) await browserTests();
else test("the sign-in in a real browser", { skip: "no Chrome, Chromium or Edge was found" }, () => {});

async function browserTests() {
  const { url, emulatorUrl } = await serve();
  const client = await startClient();
  const browser = await launch(executablePath);
  after(async () => {
    await browser.close();
    await client.stop();
  });
  const world = { url, emulatorUrl, client, browser };

  test("the landing page says how to connect, and loads nothing from elsewhere", () => landing(world));
  for (const [look, options] of Object.entries(LOOKS)) {
    test(`approving leads through Microsoft back to the client (${look})`, () => approves(world, look, options));
  }
  test("denying leads back to the client with access_denied", () => denies(world));
  test("the emulator's page can be looked at", () => emulatorPage(world));
}

/** The client's callback, on a port of its own: another origin than the Worker. */
async function startClient() {
  const calls = [];
  const server = createServer((request, response) => {
    calls.push(new URL(request.url, "http://localhost"));
    response.setHeader("content-type", "text/html; charset=utf-8").end('<link rel="icon" href="data:,"><h1>Signed in</h1>');
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const redirectUri = `http://localhost:${server.address().port}/callback`;
  return { calls, redirectUri, stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

/** A page that may ask the Worker, the emulator and the client. */
const newPage = ({ browser, url, emulatorUrl, client }, options) => freshPage(browser, [url, emulatorUrl, client.redirectUri], options);

/** Every script and style of the page carries the nonce of its policy, and there is no inline handler or style. */
async function assertNothingInline(page) {
  const found = await page.evaluate(() => {
    const marked = [...document.querySelectorAll("script, style")].filter((element) => !element.nonce);
    const handlers = [...document.querySelectorAll("*")].filter((element) =>
      [...element.attributes].some(({ name }) => name.startsWith("on") || name === "style"),
    );
    return [...marked, ...handlers].map((element) => element.outerHTML.slice(0, 80));
  });
  assert.deepEqual(found, []);
}

async function landing(world) {
  for (const [look, options] of Object.entries(LOOKS)) {
    const { page, faults, close } = await newPage(world, options);
    await page.goto(world.url);
    assert.ok((await page.textContent("body")).includes(`${world.url}/mcp`));
    await assertNothingInline(page);
    await assertFits(page);
    await shoot(page, `landing-${look}`);
    assert.deepEqual(faults, []);
    await close();
  }
}

async function toConsent(world, page) {
  const { client_id: clientId } = await register(world.url, { redirectUri: world.client.redirectUri, name: "Browser test" });
  const { verifier, challenge } = pkce();
  const state = random(16);
  const { redirectUri } = world.client;
  const response = await page.goto(authorizeUrl(world.url, { clientId, redirectUri, challenge, state }));
  assert.equal(response.status(), 200);
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /form-action|unsafe-inline|\*/);
  return { clientId, verifier, state, redirectUri };
}

async function approves(world, look, options) {
  const { page, faults, close } = await newPage(world, options);
  const flow = await toConsent(world, page);
  const text = await page.textContent("body");
  assert.ok(text.includes("Browser test"), "the client's name");
  assert.ok(text.includes(new URL(flow.redirectUri).host), "where the code goes");
  await assertNothingInline(page);
  await assertFits(page);
  await shoot(page, `consent-${look}`);
  await page.getByRole("button", { name: /approve|allow|continue/i }).click();
  await page.getByRole("button", { name: new RegExp(ADELE) }).waitFor();
  await shoot(page, `account-${look}`);
  await page.getByRole("button", { name: new RegExp(ADELE) }).click();
  await page.waitForURL((address) => address.href.startsWith(flow.redirectUri));
  await page.getByText("Signed in").waitFor();
  const { searchParams } = new URL(page.url());
  assert.equal(searchParams.get("state"), flow.state);
  assert.equal(searchParams.get("iss"), world.url);
  const { status } = await token(world.url, redemption({ ...flow, code: searchParams.get("code") }));
  assert.equal(status, 200);
  assert.deepEqual(faults, []);
  await close();
}

async function denies(world) {
  const { page, faults, close } = await newPage(world);
  const flow = await toConsent(world, page);
  await page.getByRole("button", { name: /deny|cancel/i }).click();
  await page.waitForURL((address) => address.href.startsWith(flow.redirectUri));
  const { searchParams } = new URL(page.url());
  assert.equal(searchParams.get("error"), "access_denied");
  assert.equal(searchParams.get("state"), flow.state);
  assert.equal(searchParams.get("code"), null);
  assert.deepEqual(faults, []);
  await close();
}

async function emulatorPage(world) {
  const { page, faults, close } = await newPage(world);
  await page.goto(world.emulatorUrl);
  await shoot(page, "emulator");
  assert.deepEqual(faults.filter((fault) => !fault.includes("favicon")), []);
  await close();
}
