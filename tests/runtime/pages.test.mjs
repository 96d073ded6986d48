// Every page that a person sees: axe-core finds nothing wrong in light, dark and on a phone, and a keyboard is enough.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test, { after } from "node:test";
import { LOOKS, assertFits, findChromium, launch, newPage, shoot } from "./support/chromium.mjs";
import { ADELE, authorizeUrl, pkce, register, signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HOSTED = "https://client.contoso.example/callback";
const LOCAL = "http://127.0.0.1:43110/callback";

async function pageTests(executablePath) {
  const server = await serve({ accessMode: "strict" });
  const access = { "cf-access-jwt-assertion": await server.emulator.accessJwt({ email: ADELE }) };
  const browser = await launch(executablePath);
  after(() => browser.close());
  const world = { ...server, url: server.url, access, browser };
  const flow = { headers: access, apiHeaders: access };
  await signIn(server.url, flow);
  await signIn(server.url, flow);

  for (const [name, visit] of Object.entries(PAGES)) {
    for (const look of Object.keys(LOOKS)) {
      test(`${name} is accessible (${look})`, () => isAccessible(world, { name, look, visit }));
    }
  }
  test("consent can be given with a keyboard alone, and focus shows", () => walksByKeyboard(world));
  test("apps can be ended with a keyboard alone", () => endsByKeyboard(world));
}

const consent = async ({ url, access }, page, redirectUri) => {
  const { client_id: clientId } = await register(url, { redirectUri, name: "Inbox Helper", headers: access });
  await page.goto(authorizeUrl(url, { clientId, redirectUri, challenge: pkce().challenge }));
};

const account = async ({ url }, page) => {
  await page.goto(`${url}/account`);
  await page.getByRole("button", { name: "Sign in with Microsoft" }).click();
  await page.getByRole("button", { name: new RegExp(ADELE) }).click();
  await page.waitForURL(`${url}/account`);
};

/** Back from Microsoft with this error; the `state` is the one that this browser was sent with. */
const refused = async ({ url }, page, start, error) => {
  await start();
  const state = new URL(page.url()).searchParams.get("state");
  await page.goto(`${url}/callback?${new URLSearchParams({ ...error, state })}`);
};

const adminConsent = async ({ url }, page, button) => {
  await page.goto(`${url}/admin-consent`);
  await page.getByRole("button", { name: button }).click();
};

/** How each page is reached, and what it must say. */
const PAGES = {
  landing: async ({ url }, page) => {
    await page.goto(url);
    await page.locator("summary", { hasText: "mail" }).first().click();
    await says(page, [ADELE, `${url}/mcp`, "Your connected apps", "List emails", "reaches other people", "of them only read"]);
  },
  "consent-hosted": async (world, page) => {
    await consent(world, page, HOSTED);
    await says(page, ["Inbox Helper", "client.contoso.example", ADELE, "Send mail as you", "Deny", "Approve"]);
  },
  "consent-local": async (world, page) => {
    await consent(world, page, LOCAL);
    await says(page, ["Inbox Helper", "127.0.0.1:43110", "your own device"]);
  },
  "error-client": async ({ url }, page) => {
    await page.goto(authorizeUrl(url, { clientId: "AAAAAAAAAAAAAAAAAAAAAA", challenge: pkce().challenge }));
    await says(page, ["not known here", "add it again"]);
  },
  "error-callback": async ({ url }, page) => {
    await page.goto(`${url}/callback?code=x&state=m365s.x.y`);
    await says(page, ["was not started here", "close this page"]);
  },
  "account-welcome": async ({ url }, page) => {
    await page.goto(`${url}/account`);
    await says(page, [ADELE, "for nothing else"]);
  },
  "account-apps": async (world, page) => {
    await account(world, page);
    await says(page, ["Runtime test", "Last used", "localhost:43110", "Sign out"]);
  },
  "account-error": async ({ url }, page) => {
    await page.goto(`${url}/callback?code=x&state=m365u.x.y`);
    await says(page, ["was not started here", "Your connected apps"]);
  },
  "account-refused": async (world, page) => {
    const start = async () => {
      await page.goto(`${world.url}/account`);
      await page.getByRole("button", { name: "Sign in with Microsoft" }).click();
      await page.getByText("Pick an account").waitFor();
    };
    await refused(world, page, start, { error: "interaction_required", error_description: "AADSTS53003: Access has been blocked." });
    await says(page, ["Microsoft did not sign you in", "A Conditional Access policy", "Your connected apps"]);
  },
  "admin-consent-approved": async (world, page) => {
    await adminConsent(world, page, "Accept");
    await says(page, ["Microsoft says that the permissions were approved", "connects again"]);
  },
  "admin-consent-denied": async (world, page) => {
    await adminConsent(world, page, "Cancel");
    await says(page, ["The permissions were not approved", "/admin-consent"]);
  },
  "admin-consent-failed": async (world, page) => {
    await refused(world, page, () => page.goto(`${world.url}/admin-consent`), { error: "invalid_client" });
    await says(page, ["The approval did not work", "in its log"]);
  },
};

async function says(page, texts) {
  const text = await page.textContent("main");
  for (const expected of texts) assert.ok(text.includes(expected), `${expected} is not in ${text}`);
}

const open = ({ browser, url, emulatorUrl, access }, look) =>
  newPage(browser, [url, emulatorUrl], { ...LOOKS[look], extraHTTPHeaders: access });

async function isAccessible(world, { name, look, visit }) {
  const { page, close } = await open(world, look);
  await visit(world, page);
  await shoot(page, `page-${name}-${look}`);
  await assertFits(page);
  if (name !== "landing") assert.equal(await page.locator("script").count(), 0, "no script");
  // Through the debugger, because the page's policy lets no script in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) })), []);
  await close();
}

/** What has the focus: its text, and how wide its visible outline is. */
const focused = (page) =>
  page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const shown = outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
    return { text: document.activeElement.textContent.trim(), shown };
  });

/** Presses Tab until this has the focus; everything on the way must show that it has it. */
async function tabTo(page, text) {
  const passed = [];
  for (let step = 0; step < 30; step += 1) {
    await page.keyboard.press("Tab");
    const focus = await focused(page);
    assert.ok(focus.shown >= 2, `${focus.text} shows no focus`);
    passed.push(focus.text);
    if (focus.text.includes(text)) return passed;
  }
  throw new Error(`${text} cannot be reached: ${passed.join(", ")}`);
}

async function walksByKeyboard(world) {
  const { page, close } = await open(world, "light");
  await consent(world, page, HOSTED);
  assert.deepEqual(await tabTo(page, "Approve"), ["Deny", "Approve and sign in"], "the safe answer comes first");
  await shoot(page, "page-consent-focus");
  await page.keyboard.press("Enter");
  await page.getByText("Pick an account").waitFor();
  await close();
}

async function endsByKeyboard(world) {
  const { page, close } = await open(world, "light");
  await account(world, page);
  const before = await page.getByRole("button", { name: /End access of/ }).count();
  await tabTo(page, "End access of Runtime test");
  await page.keyboard.press("Enter");
  await page.getByRole("status").waitFor();
  await shoot(page, "page-account-ended");
  assert.ok((await page.getByRole("button", { name: /End access of/ }).count()) < before);
  await close();
}

const executablePath = await findChromium();
if (executablePath) await pageTests(executablePath);
else test("the pages in a real browser", { skip: "no Chrome, Chromium or Edge was found" }, () => {});
