// JSON-RPC by hand, for what no published client would send: wrong tokens, foreign sessions, malformed bodies.
import assert from "node:assert/strict";

const REVISION = "2025-11-25";
let lastId = 0;

/** One POST to an MCP endpoint. */
export async function post(url, { path = "/mcp", token, session, body, headers = {} }) {
  const response = await fetch(url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(session ? { "mcp-session-id": session, "mcp-protocol-version": REVISION } : {}),
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, message: parse(text, response.headers.get("content-type")) };
}

function parse(text, type) {
  if (type?.startsWith("text/event-stream")) {
    const data = text.split("\n").filter((line) => line.startsWith("data: {"));
    return data.length > 0 ? JSON.parse(data.at(-1).slice("data: ".length)) : undefined;
  }
  return type?.startsWith("application/json") && text ? JSON.parse(text) : undefined;
}

export const request = (method, params) => ({ jsonrpc: "2.0", id: (lastId += 1), method, ...(params ? { params } : {}) });

export const initialize = () =>
  request("initialize", { protocolVersion: REVISION, capabilities: {}, clientInfo: { name: "runtime-test", version: "1" } });

/** Opens a session; its id. */
export async function open(url, token, { path, headers } = {}) {
  const answer = await post(url, { path, token, headers, body: initialize() });
  assert.equal(answer.status, 200, answer.text);
  const session = answer.headers.get("mcp-session-id");
  assert.match(session, /^[\x21-\x7e]+$/, "a session id is visible ASCII");
  const ready = { jsonrpc: "2.0", method: "notifications/initialized" };
  assert.equal((await post(url, { path, token, headers, session, body: ready })).status, 202);
  return session;
}

/** Opens a legacy stream: where its messages go. */
export async function openStream(url, token) {
  const abort = new AbortController();
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const response = await fetch(`${url}/sse`, { headers, signal: abort.signal });
  assert.equal(response.status, 200);
  const { value } = await response.body.pipeThrough(new TextDecoderStream()).getReader().read();
  return { path: value.match(/^event: endpoint\r?\ndata: (\S+)/m)[1], close: () => abort.abort() };
}

/** One user's session, with calls on it. */
export class Session {
  static async open(url, token, headers) {
    return new Session(url, token, await open(url, token, { headers }), headers);
  }

  constructor(url, token, id, headers) {
    Object.assign(this, { url, token, id, headers });
  }

  send(method, params) {
    return post(this.url, { token: this.token, session: this.id, headers: this.headers, body: request(method, params) });
  }

  /** Calls a tool; the HTTP answer. */
  raw(name, args = {}) {
    return this.send("tools/call", { name, arguments: args });
  }

  /** Calls a tool that must succeed; its answer, parsed. */
  async call(name, args = {}) {
    const answer = await this.raw(name, args);
    assert.equal(answer.status, 200, answer.text);
    return parsed(answer.message.result);
  }

  /** Calls a tool that must fail as a tool; its report, parsed. */
  async failure(name, args = {}) {
    const answer = await this.raw(name, args);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.message.result?.isError, true, answer.text);
    return JSON.parse(answer.message.result.content[0].text);
  }
}

/** The JSON answer in a successful tool result. */
export function parsed(result) {
  assert.ok(result && !result.isError, JSON.stringify(result));
  return JSON.parse(result.content[0].text);
}

/** The list in a tool's answer, whatever it is called. */
export const items = (answer) => Object.values(answer).find(Array.isArray) ?? [];
