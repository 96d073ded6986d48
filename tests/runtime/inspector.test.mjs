// MCP Inspector's command line, as published, with a bearer token by hand.
import assert from "node:assert/strict";
import test from "node:test";
import { items, parsed } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { runBin } from "./support/programs.mjs";
import { serve } from "./support/server.mjs";

const { url } = await serve();
const { access } = await signIn(url);

for (const [transport, path] of [["http", "/mcp"], ["http", "/sse"], ["sse", "/sse"]]) {
  const inspect = async (...args) => {
    const header = `Authorization: Bearer ${access}`;
    return JSON.parse(await runBin("mcp-inspector", ["--cli", url + path, "--transport", transport, "--header", header, ...args]));
  };

  test(`Inspector lists the tools over ${transport} on ${path}`, async () => {
    const { tools } = await inspect("--method", "tools/list");
    assert.equal(tools[0].name, "authenticate");
  });

  test(`Inspector calls a tool over ${transport} on ${path}`, async () => {
    const result = await inspect("--method", "tools/call", "--tool-name", "getEmails", "--tool-arg", "count=2");
    assert.equal(items(parsed(result)).length, 2);
  });
}
