// A deployment that lacks something answers 503 at the door and names it to its operator, never its value.
import assert from "node:assert/strict";
import test from "node:test";
import { event, serve } from "./support/server.mjs";

const MARKER = "not-a-key-7f3a91";
const CASES = {
  "a missing secret": [{ vars: { ENCRYPTION_KEY: undefined } }, "ENCRYPTION_KEY"],
  "a malformed secret": [{ vars: { COOKIE_ENCRYPTION_KEY: MARKER } }, "COOKIE_ENCRYPTION_KEY"],
  "a secret that is too short": [{ vars: { COOKIE_SECRET: MARKER } }, "COOKIE_SECRET"],
  "a missing tenant": [{ vars: { MICROSOFT_TENANT_ID: undefined } }, "MICROSOFT_TENANT_ID"],
  "half-set Access": [{ accessMode: "strict", vars: { ACCESS_AUD: undefined } }, "ACCESS_AUD"],
  "the other half of Access": [{ accessMode: "browser", vars: { ACCESS_TEAM_DOMAIN: undefined } }, "ACCESS_TEAM_DOMAIN"],
  "an unknown Access mode": [{ accessMode: "strict", vars: { ACCESS_MODE: "on" } }, "ACCESS_MODE"],
  "Access switched off on a public host": [{ vars: { PUBLIC_URL: "https://mcp.contoso.example" } }, "ACCESS_MODE"],
};

for (const [what, [options, name]] of Object.entries(CASES)) {
  test(`${what} closes every path and is named at /healthz and in the log`, async () => {
    const server = await serve(options);
    for (const path of ["/", "/mcp", "/sse", "/authorize", "/callback", "/account", "/token", "/register", "/graph-handler/v1/chat/completions"]) {
      for (const method of ["GET", "POST"]) {
        const { status } = await fetch(server.url + path, { method, redirect: "manual" });
        assert.equal(status, 503, `${method} ${path}`);
      }
    }
    const health = await fetch(`${server.url}/healthz`);
    const text = await health.text();
    assert.equal(health.status, 503);
    assert.ok(text.includes(name), text);
    const line = await event(server, "config.invalid");
    assert.ok(line.names.includes(name), JSON.stringify(line));
    const logged = server.logs().map(({ message }) => message).join("\n");
    for (const value of [MARKER, ...Object.values(server.secrets)]) assert.ok(!(text + logged).includes(value));
  });
}
