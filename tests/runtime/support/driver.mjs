// A client that is not written in JavaScript: the driver of tests/clients as a child process, told by JSON lines what to do.
import { createInterface } from "node:readline";
import { REDIRECT_URI, walk } from "./oauth.mjs";
import { emptyHome, startProgram } from "./programs.mjs";
import { within } from "./until.mjs";

const ANSWER_LIMIT_MS = 60_000;

/** Starts a driver and connects: refused first, signed in through the browser, connected. A `Connection` of journey.mjs. */
export async function drive(command, args) {
  const home = emptyHome();
  const program = startProgram(command, [...args, REDIRECT_URI], { home: home.path });
  const tell = (message) => program.child.stdin.write(`${JSON.stringify(message)}\n`);
  const waiting = new Map();
  const ended = program.exited.then(() => ({ error: "the driver has ended" }));
  let last = 0;
  createInterface({ input: program.child.stdout }).on("line", async (line) => {
    const message = JSON.parse(line);
    if (message.open) tell({ callback: (await walk(message.open)).href });
    else waiting.get(message.id)?.(message);
  });
  const ask = async (what, signal) => {
    const id = (last += 1);
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    signal?.addEventListener("abort", () => ask({ do: "cancel", of: id }));
    tell({ id, ...what });
    const { result, error } = await within(ANSWER_LIMIT_MS, what.do, Promise.race([answer, ended]));
    if (error) throw new Error(`${what.do}: ${error}\n${program.texts.stderr}`);
    return result;
  };
  const connection = {
    tools: () => ask({ do: "tools" }),
    call: (name, args, signal) => ask({ do: "call", name, arguments: args }, signal),
    connect: async () => Object.assign(connection, await ask({ do: "connect" })),
    close: async () => {
      program.child.stdin.end();
      await program.stop();
      home.remove();
    },
  };
  try {
    return await connection.connect();
  } catch (error) {
    await connection.close();
    throw error;
  }
}
