// Calls that go on as tasks, in workerd: by the published requester of the tasks extension on the published SDK, and by
// hand what it does not show. Against the build with the conformance suite's fixtures.
import assert from "node:assert/strict";
import test from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createTaskSessionFromClient } from "@modelcontextprotocol/ext-tasks/client";
import { post, request } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";
import { EventStream } from "./support/streams.mjs";
import { until } from "./support/until.mjs";

const MODERN = "2026-07-28";
const IMPLEMENTATION = { name: "runtime-test", version: "1.0.0" };
const CAPABILITIES = { elicitation: {}, extensions: { "io.modelcontextprotocol/tasks": {} } };

const server = await serve({ build: "conformance" });
const { url } = server;
const { access } = await signIn(url);

const META = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": IMPLEMENTATION,
  "io.modelcontextprotocol/clientCapabilities": CAPABILITIES,
};
const headersOf = ({ method, params }) => ({
  "mcp-protocol-version": MODERN,
  "mcp-method": method,
  ...(params.taskId ?? params.name ? { "mcp-name": params.taskId ?? params.name } : {}),
});

/** Sends a request as it is; the answer. */
const dispatch = async (body) => (await post(url, { token: access, headers: headersOf(body), body })).message;

/** The result of a request by who knows tasks. */
const ask = async (method, params) => (await dispatch(request(method, { ...params, _meta: META }))).result;
const begin = async (name, args) => {
  const { resultType, taskId } = await ask("tools/call", { name, arguments: args });
  assert.equal(resultType, "task");
  return taskId;
};
const look = (taskId) => ask("tasks/get", { taskId });
const state = (taskId, status) => until(status, async () => ((await look(taskId)).status === status ? look(taskId) : undefined));

/** An application's session of the published requester. */
async function session(t, onInputRequest) {
  const client = new Client(IMPLEMENTATION, { capabilities: CAPABILITIES, versionNegotiation: { mode: { pin: MODERN } } });
  const requestInit = { headers: { authorization: `Bearer ${access}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  let id = 0;
  const rawDispatch = async (framed) => {
    const { result, error } = await dispatch({ jsonrpc: "2.0", id: `task-${(id += 1)}`, ...framed });
    return error ? { kind: "error", error } : { kind: "result", result };
  };
  const v2RequestFraming = { protocolVersion: MODERN, clientInfo: IMPLEMENTATION, clientCapabilities: CAPABILITIES };
  const tasks = createTaskSessionFromClient(client, { endpointId: "test", rawDispatch, v2RequestFraming, onInputRequest });
  t.after(async () => {
    await tasks.close();
    await client.close();
  });
  return tasks;
}

test("the published requester waits for a task and has its result", async (t) => {
  const tasks = await session(t);
  const execution = await tasks.callTool("slow_compute", { seconds: 2, label: "sums" });
  const { outcome, lastTask } = await execution.settle();
  assert.equal(outcome.status, "completed", outcome.error?.message);
  assert.equal(outcome.result.content[0].text, "Computed sums.");
  assert.equal(lastTask.status, "completed");
  const immediate = await (await tasks.callTool("greet", { name: "Adele" })).settle();
  assert.equal(immediate.outcome.result.content[0].text, "Hello, Adele!");
  assert.equal(immediate.lastTask, undefined);
});

test("it answers what a task asks, before it was one and after", async (t) => {
  const asked = [];
  const tasks = await session(t, ({ params }, { delivery }) => {
    asked.push([delivery, params.message]);
    return { action: "accept", content: params.message.startsWith("Delete") ? { confirm: true } : { name: "Adele" } };
  });
  const deleted = await (await tasks.callTool("confirm_delete", { filename: "a.txt" })).settle();
  assert.equal(deleted.outcome.result?.content[0].text, "Deleted a.txt.", deleted.outcome.error?.message);
  const greeted = await (await tasks.callTool("test_tool_with_task", {})).settle();
  assert.equal(greeted.outcome.result?.content[0].text, "Hello, Adele!", greeted.outcome.error?.message);
  assert.deepEqual(asked, [["task-update", "Delete a.txt?"], ["request-retry", "What is your name?"]]);
});

test("it takes a task back, and hears of one that failed", async (t) => {
  const tasks = await session(t);
  const execution = await tasks.callTool("slow_compute", { seconds: 60 });
  await execution.cancel();
  assert.equal((await execution.settle()).outcome.status, "cancelled");
  const failed = await (await tasks.callTool("protocol_error_job", {})).settle();
  assert.deepEqual([failed.outcome.status, failed.outcome.error.code], ["failed", -32021]);
});

test("a call that Microsoft holds up for long becomes one by itself, and comes to its end", async () => {
  // Two requests in turn: the zone of the mailbox, then its calendar.
  await server.emulator.fault("graph", "slow", { times: 2, delayMs: 14_000 });
  const taskId = await begin("getCalendarEvents", {});
  assert.equal((await look(taskId)).status, "working");
  const { result } = await state(taskId, "completed");
  assert.equal(result.isError, undefined, result.content[0].text);
  const lines = server.events("mcp.tool").filter(({ tool }) => tool === "getCalendarEvents");
  assert.deepEqual(lines.map(({ reason }) => reason), ["task", "ok"]);
});

test("who listens is told without asking", async (t) => {
  const taskId = await begin("slow_compute", { seconds: 3 });
  const body = request("subscriptions/listen", { notifications: { taskIds: [taskId] }, _meta: META });
  const abort = new AbortController();
  t.after(() => abort.abort());
  const headers = { ...headersOf(body), authorization: `Bearer ${access}`, accept: "application/json, text/event-stream" };
  const sent = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
  const stream = EventStream.of(await fetch(`${url}/mcp`, { ...sent, signal: abort.signal }));
  const of = (status) => ({ message }) => message?.method === "notifications/tasks" && message.params.status === status;
  const { message } = await stream.next("its end", of("completed"));
  assert.deepEqual(stream.events[0].message.params.notifications, { taskIds: [taskId] });
  assert.ok(stream.events.some(of("working")), "how it stood when the stream began");
  const { _meta, ...told } = message.params;
  assert.equal(_meta["io.modelcontextprotocol/subscriptionId"], body.id);
  const { _meta: _, resultType, ...got } = await look(taskId);
  assert.deepEqual(told, got);
});

test("a task whose caller has gone runs on, and a deploy takes it away but not its questions", async () => {
  const running = await begin("slow_compute", { seconds: 600 });
  const asking = await begin("confirm_delete", { filename: "b.txt" });
  await state(asking, "input_required");
  // Longer than workerd leaves an object in its memory that has nothing to do.
  const alone = await begin("slow_compute", { seconds: 12 });
  await new Promise((done) => setTimeout(done, 13_000));
  assert.equal((await look(alone)).status, "completed");
  await server.restartWorker();
  const lost = await look(running);
  assert.deepEqual([lost.status, lost.error.code], ["failed", -32603]);
  assert.match(lost.error.message, /interrupted/);
  const [key] = Object.keys((await look(asking)).inputRequests);
  const inputResponses = { [key]: { action: "accept", content: { confirm: true } } };
  assert.equal((await ask("tasks/update", { taskId: asking, inputResponses })).resultType, "complete");
  assert.equal((await state(asking, "completed")).result.content[0].text, "Deleted b.txt.");
  assert.equal((await look(alone)).status, "completed", "what was done is kept");
});
