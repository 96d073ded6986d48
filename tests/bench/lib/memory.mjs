// Resident memory of workerd with many sessions, each holding its stream open, and after they came and went.
import { request as open } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { openSession, streamRequest } from "./clients.mjs";
import { connectTo } from "./load.mjs";
import { residentBytes } from "./usage.mjs";

export const SESSIONS = 500;
const AT_ONCE = 16;
/** Garbage of the opening itself is not what is asked for. */
const SETTLE_MS = 1_500;
/** A client that left is noticed at the second keep-alive after it (20 s each). */
const NOTICE_MS = 43_000;

/**
 * Restarts the Worker, opens the sessions, closes them, and once more. Without the wait for left streams they are opened
 * once only: what came second would stand beside the first, and tell nothing of churn.
 * @returns {Promise<{when: string, bytes: {all: number, own: number}}[]>}
 */
export async function measureSessions(server, clients, { waitForClose }) {
  await server.restartWorker();
  const points = [];
  const note = async (when) => {
    await pause(SETTLE_MS);
    points.push({ when, bytes: residentBytes(server.workerdPid) });
  };
  const link = connectTo(server.target, AT_ONCE);
  await openSession(link.send, clients[0]);
  await note("after the first session");
  for (const turn of waitForClose ? ["first", "second"] : ["first"]) {
    const streams = await openStreams(server, clients, link.send);
    await note(`${SESSIONS} sessions open, ${turn} time`);
    for (const stream of streams) stream.destroy();
    if (!waitForClose) continue;
    await pause(NOTICE_MS);
    await note(`all closed, ${turn} time`);
  }
  link.close();
  return points;
}

async function openStreams(server, clients, send) {
  const streams = [];
  let next = 0;
  const work = async () => {
    while (next < SESSIONS) {
      // Of its own, for sessions of one grant are opened at the same time.
      const client = { ...clients[next % clients.length] };
      next += 1;
      await openSession(send, client);
      streams.push(await openStream(server.target, streamRequest(client)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return streams;
}

function openStream({ port, host }, { path, headers }) {
  return new Promise((resolve, reject) => {
    const outgoing = open({ host: "127.0.0.1", port, path, headers: { host, ...headers }, agent: false }, (incoming) => {
      if (incoming.statusCode !== 200) return reject(new Error(`GET ${path}: ${incoming.statusCode}`));
      incoming.on("error", () => {}).resume();
      resolve(outgoing);
    });
    outgoing.on("error", reject).end();
  });
}
