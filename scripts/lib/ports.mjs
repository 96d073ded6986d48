// Free and busy ports. The emulator always listens on the port after the Worker's.
import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import { Failure } from "./terminal.mjs";

const LOOPBACKS = ["127.0.0.1", "::1"];

/**
 * Below the ports that systems give to outgoing connections (Linux from 32768 on, others from 49152): one of those may
 * be taken by any connection after it was looked at, and while workerd restarts on it.
 */
const FIRST = 20_000;
const PAIRS = 6_000;

/** A port that is free, and whose successor is free. */
export async function freePortPair() {
  for (;;) {
    const port = FIRST + 2 * randomInt(PAIRS);
    if (!(await isBusy(port)) && !(await isBusy(port + 1))) return port;
  }
}

/** Fails when something answers on one of the two ports already, and says which. */
export async function requireFreePorts(port) {
  for (const candidate of [port, port + 1]) {
    if (!(await isBusy(candidate))) continue;
    throw new Failure(`port ${candidate} is in use`, {
      why: `the Worker needs port ${port}, and the emulator the one after it`,
      fix: [`stop the program that holds it (lsof -i :${candidate})`, `or choose another: PORT=${port + 1000} npm run dev`],
    });
  }
}

// Binding alone would not notice a program that listens on all addresses (macOS) or on IPv6 only.
async function isBusy(port) {
  const answers = await Promise.all(LOOPBACKS.map((host) => accepts(host, port)));
  return answers.includes(true) || !(await canListen(port));
}

function accepts(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answer) => (socket.destroy(), resolve(answer));
    socket.once("connect", () => done(true)).once("error", () => done(false));
  });
}

/** Binds and lets go; whether that is possible. */
function canListen(port) {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
