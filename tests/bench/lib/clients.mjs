// The product's clients: signed in as a person does it in a browser, then requests prepared once and sent many times.
import { ADELE, ALEX, signIn } from "../../runtime/support/oauth.mjs";

const REVISION = "2025-11-25";
const JSON_TYPE = { "content-type": "application/json" };
const ACCEPT_BOTH = { accept: "application/json, text/event-stream" };

/** `count` grants, each with a session, as one after another would sign in. */
export async function signInClients(server, send, count) {
  const clients = [];
  for (let index = 0; index < count; index += 1) {
    const flow = await signIn(server.url, { user: index % 2 === 0 ? ADELE : ALEX });
    const client = { clientId: flow.clientId, access: flow.access, refresh: flow.refresh };
    await openSession(send, client);
    clients.push(client);
  }
  return clients;
}

const headersOf = (client) => ({ ...JSON_TYPE, ...ACCEPT_BOTH, authorization: `Bearer ${client.access}` });

const sessionHeaders = (client) => ({
  ...headersOf(client),
  "mcp-session-id": client.session,
  "mcp-protocol-version": REVISION,
});

/** One JSON-RPC request on the client's session. */
export function rpc(client, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, ...(params ? { params } : {}) });
  return { method: "POST", path: "/mcp", headers: sessionHeaders(client), body };
}

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: REVISION, capabilities: {}, clientInfo: { name: "bench", version: "1" } },
});
const INITIALIZED = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });

/** `initialize` and `notifications/initialized`; the client goes on with the new session. */
export async function openSession(send, client) {
  const answer = await send(openSession.request(client));
  client.session = answer.headers["mcp-session-id"];
  await send({ method: "POST", path: "/mcp", headers: sessionHeaders(client), body: INITIALIZED, expect: 202 });
}
openSession.request = (client) => ({ method: "POST", path: "/mcp", headers: headersOf(client), body: INITIALIZE });

/** Redeems the client's refresh token for the next pair. */
export async function refreshOnce(send, client) {
  const { bytes } = await send(refreshOnce.request(client));
  const { access_token: access, refresh_token: refresh } = JSON.parse(bytes);
  Object.assign(client, { access, refresh });
}
refreshOnce.request = (client) => ({
  method: "POST",
  path: "/token",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: client.refresh, client_id: client.clientId }).toString(),
});

/** The GET that opens the session's stream. */
export const streamRequest = (client) => ({
  path: "/mcp",
  headers: { ...sessionHeaders(client), accept: "text/event-stream" },
});
