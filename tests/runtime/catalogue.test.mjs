// Every tool of the catalogue, called with its least and its fullest arguments by a published client: through the Worker
// in workerd, the gateway and Graph's emulator, after a sign-in with every permission.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { TODAY, allScopes, callsOf, describedTools, filled, formOf, inputsOf, prepare, settled, snapshot } from "./support/catalogue.mjs";
import { signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const { url, emulator } = await serve({ vars: { TOOL_PRESETS: "all" }, today: TODAY });
const { access } = await signIn(url, { scope: allScopes().join(" ") });

// It holds structured content against the tool's output schema, and says yes to whatever it is asked.
const client = new Client({ name: "walk", version: "1.0.0" }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  const boxes = Object.keys(params.requestedSchema.properties).map((name) => [name, true]);
  return { action: "accept", content: Object.fromEntries(boxes) };
});
await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${access}` } } }));
after(() => client.close());
const { tools } = await client.listTools();

/** The text of a result, parsed where it is JSON. */
function answerOf({ content }) {
  const [{ text }] = content;
  return text.startsWith("{") ? JSON.parse(text) : text;
}

/** What there is already, as a tool says it or, where no tool lists it, as the emulator does. */
async function ask(name, args) {
  const [, kind] = name.match(/^emulator (\w+)$/) ?? [];
  if (kind) return emulator.ask("GET", `/graph/${kind}?${new URLSearchParams(args)}`);
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, `${name} ${JSON.stringify(args)}: ${result.content[0].text}`);
  return answerOf(result);
}

/** Where an answer spends words on nothing: null, or an empty text or object. */
function nothings(value, path = "") {
  if (value === null || value === "") return [path];
  if (typeof value !== "object") return [];
  const inner = Object.entries(value).flatMap(([name, one]) => nothings(one, `${path}/${name}`));
  return !Array.isArray(value) && Object.keys(value).length === 0 ? [path] : inner;
}

async function walk(tool, { inputs, which, known }) {
  const args = filled(inputs[which], known);
  const result = await client.callTool({ name: tool.name, arguments: args });
  const answer = answerOf(result);
  const said = `${which} ${JSON.stringify(args)}: ${JSON.stringify(answer)}`;
  assert.equal(result.isError ? answer.code : undefined, inputs.fails?.[which], said);
  assert.equal(result.structuredContent !== undefined, Boolean(tool.outputSchema && !result.isError), said);
  assert.deepEqual(nothings(answer), [], said);
  // A model repeats what it reads: no moment is told in UTC, save in what Graph says by itself.
  if (tool.name !== "graphRequest") assert.doesNotMatch(JSON.stringify(answer), /"\d{4}-\d\d-\d\dT[\d:.]+Z"/);
  if (result.structuredContent) assert.deepEqual(result.structuredContent, answer);
  return inputs.varies?.includes(which) ? formOf(answer) : settled(answer);
}

for (const tool of tools) {
  test(`${tool.name} answers every call of its file`, async () => {
    const inputs = inputsOf(tool.name);
    const known = await prepare(inputs.given, ask);
    const answers = {};
    for (const which of Object.keys(callsOf(inputs))) answers[which] = await walk(tool, { inputs, which, known });
    snapshot(tool.name, answers);
  });
}

test("every argument of every tool is in one of its calls", () => {
  const missing = tools.flatMap(({ name, inputSchema }) => {
    const given = Object.assign({}, ...Object.values(callsOf(inputsOf(name))));
    // A cursor is what the call before said.
    const left = Object.keys(inputSchema.properties).filter((argument) => argument !== "cursor" && !(argument in given));
    return left.map((argument) => `${name}.${argument}`);
  });
  assert.deepEqual(missing, []);
});

test("what has a file is in the list", () => {
  assert.deepEqual(describedTools(), tools.map(({ name }) => name).sort());
});
