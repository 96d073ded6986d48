// The published TypeScript SDK as an application uses it: its own discovery, registration, PKCE, token and refresh.
// Ours is only what an application brings: where things are kept, and a person at a browser.
import assert from "node:assert/strict";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ADELE, REDIRECT_URI, random, walk } from "./oauth.mjs";

/** The three ways in which clients come today. */
export const TRANSPORTS = {
  "Streamable HTTP on /mcp": (url, options) => new StreamableHTTPClientTransport(new URL(`${url}/mcp`), options),
  "Streamable HTTP on /sse": (url, options) => new StreamableHTTPClientTransport(new URL(`${url}/sse`), options),
  "HTTP+SSE on /sse": (url, options) => new SSEClientTransport(new URL(`${url}/sse`), options),
};

/** What an application keeps for one server. */
export class Keeper {
  redirectUrl = REDIRECT_URI;
  clientMetadata = {
    client_name: "SDK test",
    redirect_uris: [REDIRECT_URI],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  /** How often each thing was saved; the refresh test counts on it. */
  saved = { tokens: 0, client: 0 };

  state() {
    return (this.sentState ??= random(16));
  }
  clientInformation() {
    return this.client;
  }
  saveClientInformation(client) {
    this.client = client;
    this.saved.client += 1;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
    this.saved.tokens += 1;
  }
  redirectToAuthorization(url) {
    this.address = url;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
}

/** Connects as an application does: refused first, signed in through the browser, connected. */
export async function connect(makeTransport, url, { user = ADELE, keeper = new Keeper(), fetch } = {}) {
  const options = { authProvider: keeper, ...(fetch ? { fetch } : {}) };
  if (!keeper.kept) await signInFirst(makeTransport(url, options), keeper, user);
  const client = new Client({ name: "runtime-test", version: "1.0.0" });
  await client.connect(makeTransport(url, options));
  return { client, keeper };
}

async function signInFirst(transport, keeper, user) {
  const refused = new Client({ name: "runtime-test", version: "1.0.0" });
  await assert.rejects(refused.connect(transport), UnauthorizedError);
  const end = await walk(keeper.address.href, { user });
  assert.equal(end.searchParams.get("state"), keeper.sentState);
  const code = end.searchParams.get("code");
  assert.ok(code, end.href);
  await transport.finishAuth(code);
  await transport.close();
}
