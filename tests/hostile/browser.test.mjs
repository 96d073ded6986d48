// A person in a real browser who does what nobody planned: two tabs, the back button, a reload, a sign-in that asks
// nothing and redirects on at once. And what only a browser judges: the policy along the whole chain of redirects.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test, { after } from "node:test";
import { findChromium, launch, newPage as freshPage } from "../runtime/support/chromium.mjs";
import { ADELE, authorizeUrl, pkce, random, redemption, register, token } from "../runtime/support/oauth.mjs";
import { serve } from "../runtime/support/server.mjs";
import { tokenCalls } from "../runtime/support/steps.mjs";
import { until } from "../runtime/support/until.mjs";

const executablePath = await findChromium();

if (executablePath) await browserTests();
else test("the sign-in of an unruly person", { skip: "no Chrome, Chromium or Edge was found" }, () => {});

async function browserTests() {
  const server = await serve();
  const { url, emulatorUrl, emulator } = server;
  const clients = await Promise.all([startClient(), startClient()]);
  const browser = await launch(executablePath);
  after(async () => {
    await browser.close();
    await Promise.all(clients.map((client) => client.stop()));
  });
  const world = { url, emulatorUrl, emulator, clients, browser };

  test("a client on this device is warned of, another is not", () => warns(world));
  test("two tabs sign two clients in at once, finished in the other order", () => twoTabs(world));
  test("back after approving, and approving again, ends in one sign-in", () => goesBack(world));
  test("a reload of the callback is told here, leads nowhere and asks Entra nothing", () => reloads(world));
  test("the form, Microsoft, the callback and the client are one chain that no policy breaks", () => chains(world, undefined));
  test("and form-action in that policy would break it", () => chains(world, "; form-action 'self'"));
  test("from the consent to the client with a keyboard alone", () => byKeyboard(world));
  test("a page of another site can neither frame the consent page nor decide on it", () => framed(world));
}

/** A client's callback, on a port and so an origin of its own. */
async function startClient() {
  const calls = [];
  const server = createServer((request, response) => {
    const address = new URL(request.url, "http://localhost");
    if (address.pathname === "/callback") calls.push(address);
    const frame = address.searchParams.get("frame");
    const inside = frame ? `<iframe src="${frame.replaceAll("&", "&amp;")}"></iframe>` : "<h1>Signed in</h1>";
    response.setHeader("content-type", "text/html; charset=utf-8").end(`<link rel="icon" href="data:,">${inside}`);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const origin = `http://localhost:${server.address().port}`;
  return { calls, origin, redirectUri: `${origin}/callback`, stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
}

const origins = ({ url, emulatorUrl, clients }) => [url, emulatorUrl, ...clients.map(({ origin }) => origin)];
const newPage = (world) => freshPage(world.browser, origins(world));

/** Opens the consent page of a client of this address; what is needed to redeem its code. */
async function toConsent({ url }, page, redirectUri, name = "Browser test") {
  const { client_id: clientId } = await register(url, { redirectUri, name });
  const { verifier, challenge } = pkce();
  const state = random(16);
  const response = await page.goto(authorizeUrl(url, { clientId, redirectUri, challenge, state }));
  assert.equal(response.status(), 200);
  return { clientId, verifier, state, redirectUri };
}

const approve = (page) => page.getByRole("button", { name: /Approve/ }).click();
const choose = (page) => page.getByRole("button", { name: new RegExp(ADELE) }).click();

/** Waits until the browser is at the client, and redeems what it brought. */
async function atClient({ url }, page, flow) {
  await page.waitForURL((address) => address.href.startsWith(flow.redirectUri));
  const { searchParams } = new URL(page.url());
  assert.deepEqual([searchParams.get("state"), searchParams.get("iss")], [flow.state, url]);
  const { status, body } = await token(url, redemption({ ...flow, code: searchParams.get("code") }));
  assert.equal(status, 200, JSON.stringify(body));
}

async function warns(world) {
  const { page, close } = await newPage(world);
  for (const uri of ["http://127.0.0.1:43110/cb", "http://[::1]:43110/cb", "http://localhost:43110/cb"]) {
    await toConsent(world, page, uri);
    assert.match(await page.textContent("main"), /your own device/, uri);
  }
  await toConsent(world, page, "https://client.contoso.example/cb", "localhost 127.0.0.1");
  assert.doesNotMatch(await page.textContent("main"), /your own device/);
  await close();
}

async function twoTabs(world) {
  const { page: first, faults, close } = await newPage(world);
  const second = await first.context().newPage();
  const [one, two] = world.clients;
  const flows = [await toConsent(world, first, one.redirectUri), await toConsent(world, second, two.redirectUri)];
  await approve(first);
  await first.getByText("Pick an account").waitFor();
  await approve(second);
  await second.getByText("Pick an account").waitFor();
  await choose(second);
  await atClient(world, second, flows[1]);
  await choose(first);
  await atClient(world, first, flows[0]);
  assert.deepEqual(faults, []);
  await close();
}

async function goesBack(world) {
  const { page, close } = await newPage(world);
  const client = world.clients[0];
  const before = client.calls.length;
  const flow = await toConsent(world, page, client.redirectUri);
  await approve(page);
  await page.getByText("Pick an account").waitFor();
  await page.goBack();
  await page.getByRole("button", { name: /Approve/ }).waitFor();
  await approve(page);
  await page.getByText("Pick an account").waitFor();
  await choose(page);
  await atClient(world, page, flow);
  assert.equal(client.calls.length - before, 1);
  await page.goBack();
  await page.getByText("Pick an account").waitFor();
  await choose(page);
  await page.getByText(/was used|already|start again|add it again|close this page/i).first().waitFor();
  assert.equal(new URL(page.url()).pathname, "/callback");
  assert.equal(client.calls.length - before, 1, "the second answer of Microsoft's leads nowhere");
  await close();
}

async function reloads(world) {
  const { page, close } = await newPage(world);
  const client = world.clients[0];
  const flow = await toConsent(world, page, client.redirectUri);
  let callback;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/callback" && request.url().startsWith(world.url)) callback = request.url();
  });
  await approve(page);
  await choose(page);
  await page.waitForURL((address) => address.href.startsWith(flow.redirectUri));
  const [answered, asked] = [client.calls.length, await tokenCalls(world.emulator)];
  const response = await page.goto(callback);
  assert.equal(response.status(), 403);
  assert.equal((await page.reload()).status(), 403);
  assert.deepEqual([client.calls.length, await tokenCalls(world.emulator)], [answered, asked]);
  const code = client.calls.at(-1).searchParams.get("code");
  assert.equal((await token(world.url, redemption({ ...flow, code }))).status, 200, "and what the client has still counts");
  await close();
}

/** Microsoft knows the person and asks nothing: one chain of redirects from the form's POST to the client. */
async function chains(world, policy) {
  const { page, faults, close } = await newPage(world);
  await world.emulator.fault("entra", "asks-nothing");
  await page.route(`${world.url}/authorize?**`, async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    headers["content-security-policy"] += policy ?? "";
    await route.fulfill({ response, headers });
  });
  const flow = await toConsent(world, page, world.clients[0].redirectUri);
  await approve(page);
  if (policy) {
    await until("the browser objects", () => faults.some((text) => text.includes("form-action")));
    assert.equal(new URL(page.url()).pathname, "/authorize");
  } else {
    await atClient(world, page, flow);
    assert.deepEqual(faults, []);
  }
  await world.emulator.clearFaults();
  await close();
}

/** Presses Tab until this has the focus, then Enter. */
async function press(page, text) {
  for (let step = 0; step < 30; step += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => document.activeElement.textContent);
    if (text.test(focus)) return page.keyboard.press("Enter");
  }
  throw new Error(`${text} cannot be reached`);
}

async function byKeyboard(world) {
  const { page, close } = await newPage(world);
  const flow = await toConsent(world, page, world.clients[0].redirectUri);
  await press(page, /Approve/);
  await page.getByText("Pick an account").waitFor();
  await press(page, new RegExp(ADELE));
  await atClient(world, page, flow);
  const denied = await toConsent(world, page, world.clients[0].redirectUri);
  await press(page, /Deny/);
  await page.waitForURL((address) => address.href.startsWith(denied.redirectUri));
  assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
  await close();
}

async function framed(world) {
  const { page, close } = await newPage(world);
  const flow = await toConsent(world, page, world.clients[0].redirectUri);
  const inside = page.url();
  await page.goto(`${world.clients[1].origin}/?frame=${encodeURIComponent(inside)}`);
  const frame = page.frames().find((one) => one !== page.mainFrame());
  assert.equal(await frame?.getByRole("button", { name: /Approve/ }).count(), 0, "nothing of it is shown");
  // A form of the other site's, sent by the person's own browser with its cookies.
  const transaction = random(16);
  await page.evaluate(
    ([action, id]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action });
      for (const [name, value] of [["transaction", id], ["decision", "approve"]]) {
        form.append(Object.assign(document.createElement("input"), { name, value }));
      }
      document.body.append(form);
      form.submit();
    },
    [`${world.url}/authorize`, transaction],
  );
  await page.waitForURL(`${world.url}/authorize`);
  await page.getByRole("heading").waitFor();
  assert.equal(await page.getByText("Pick an account").count(), 0);
  assert.ok(flow.state);
  await close();
}
