// The emulator as a process: build its binary, start it beside a Worker, know when it is ready.
import { eachLine, start, stop } from "./process.mjs";
import { buildProgram } from "./rust.mjs";
import { Failure } from "./terminal.mjs";

const READY_LIMIT_MS = 15_000;

/** Compiles the emulator (cargo decides what there is to do) and returns the path of its binary. */
export const buildEmulator = ({ onLine, profile = "dev" } = {}) => buildProgram("m365-emulator", { what: "the emulator", onLine, profile });

/** Starts the binary and returns its process once it listens. */
export async function startEmulator({ binary, port, workerUrl, env, onLine }) {
  const child = start(binary, ["--port", String(port), "--worker", workerUrl], { env: { ...process.env, ...env } });
  const ready = new Promise((resolve) => {
    eachLine(child, (line) => {
      onLine(line);
      if (line.startsWith("emulator ready on ")) resolve(true);
    });
  });
  let limit;
  const late = new Promise((resolve) => (limit = setTimeout(resolve, READY_LIMIT_MS, false)));
  const isReady = await Promise.race([ready, child.exited.then(() => false), late]);
  clearTimeout(limit);
  if (isReady) return child;
  await stop(child);
  throw new Failure(`the emulator did not start on port ${port}`);
}
