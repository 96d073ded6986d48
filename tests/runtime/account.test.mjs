// The end of grants in the real runtime: by their user on the account page, by an operator's command, by signing in
// anew, and what becomes of the clients' open streams.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { ROOT } from "../../scripts/lib/project.mjs";
import { findChromium, launch, newPage } from "./support/chromium.mjs";
import { Session, initialize, open, post } from "./support/mcp.mjs";
import { ADELE, REDIRECT_URI, authorizeUrl, pkce, redemption, register, revoke, signIn, token, walk } from "./support/oauth.mjs";
import { event, serve, userIdOf } from "./support/server.mjs";
import { until, within } from "./support/until.mjs";

const server = await serve();
const { url } = server;
const executablePath = await findChromium();

test("a person signs in to the account page, ends an app, and its next call gets 401", { skip: !executablePath }, async () => {
  const flow = await signIn(url);
  const session = await Session.open(url, flow.access);
  assert.equal((await session.raw("getEmails")).status, 200);
  const browser = await launch(executablePath);
  try {
    const { page, faults } = await newPage(browser, [url, server.emulatorUrl]);
    await page.goto(`${url}/account`);
    await page.getByRole("button", { name: "Sign in with Microsoft" }).click();
    await page.getByRole("button", { name: new RegExp(ADELE) }).click();
    await page.getByText(flow.clientId).waitFor();
    await page.getByRole("button", { name: /End access of Runtime test/ }).first().click();
    await page.getByRole("status").waitFor();
    assert.equal(await page.getByText(flow.clientId).count(), 0);
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
  }
  assert.equal((await session.raw("getEmails")).status, 401);
  await event(server, "grant.revoked", ({ clientId, reason }) => clientId === flow.clientId && reason === "user");
});

/** A GET stream on a session; its text as it comes, and a promise of its end. */
async function stream(path, headers) {
  const response = await fetch(url + path, { headers: { accept: "text/event-stream", ...headers } });
  assert.equal(response.status, 200);
  const reader = response.body.getReader();
  await reader.read();
  return {
    ended: (async () => {
      while (!(await reader.read()).done);
    })(),
  };
}

test("the streams of a grant end with it, on both transports", async () => {
  const flow = await signIn(url);
  const authorization = `Bearer ${flow.access}`;
  const session = await open(url, flow.access);
  const streams = [
    await stream("/sse", { authorization }),
    await stream("/mcp", { authorization, "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" }),
  ];
  await revoke(url, flow, flow.refresh);
  await within(10_000, "the streams end", Promise.all(streams.map(({ ended }) => ended)));
});

test("of twenty sign-ins of one client that finish together exactly one stands", async () => {
  const { client_id: clientId } = await register(url);
  const flows = [];
  for (let index = 0; index < 20; index += 1) {
    const { verifier, challenge } = pkce();
    const end = await walk(authorizeUrl(url, { clientId, challenge }));
    flows.push({ clientId, redirectUri: REDIRECT_URI, verifier, code: end.searchParams.get("code") });
  }
  const answers = await Promise.all(flows.map((flow) => token(url, redemption(flow))));
  assert.deepEqual(answers.map(({ status }) => status), flows.map(() => 200));
  const standing = async () => {
    const asked = await Promise.all(answers.map(({ body }) => post(url, { token: body.access_token, body: initialize() })));
    return asked.filter(({ status }) => status === 200).length;
  };
  await until("exactly one stands", async () => (await standing()) === 1);
});

const operator = (...args) =>
  promisify(execFile)(process.execPath, [join(ROOT, "scripts", "operator.mjs"), ...args, "--url", url], {
    env: { ...process.env, OPERATOR_KEY: server.secrets.OPERATOR_KEY },
  });

test("an operator lists a user's grants and ends them by command", async () => {
  const flow = await signIn(url);
  const user = userIdOf(ADELE);
  const { stdout: list } = await operator("grants", "list", "--user", user);
  assert.ok(list.includes(flow.clientId) && list.includes("localhost:43110"), list);
  const grant = flow.access.split(".")[2];
  const { stdout: one } = await operator("grants", "revoke", "--user", user, "--grant", grant);
  assert.ok(one.includes(grant), one);
  assert.equal((await post(url, { token: flow.access, body: initialize() })).status, 401);
  await operator("grants", "revoke", "--user", user, "--all");
  assert.match((await operator("grants", "list", "--user", user)).stdout, /no grants/);
  await assert.rejects(operator("grants", "list"), /--user is missing/);
});

test("nobody else is an operator", async () => {
  for (const authorization of [undefined, "Bearer x", `Bearer ${server.secrets.OPERATOR_KEY}x`]) {
    const response = await fetch(`${url}/operator/grants?user=${userIdOf(ADELE)}`, { headers: authorization ? { authorization } : {} });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
  }
});
