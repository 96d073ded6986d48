// Cold start: a new workerd process with the build on disk, timed from the moment it is spawned to the first answer.
import { median, sendOnce } from "./load.mjs";

/**
 * Medians in milliseconds: `ready` until workerd listens, `first` for the first request (it compiles the Wasm and
 * starts the isolate), `answer` for both, `second` for the request after it.
 */
export async function measureColdStart(part, request, times) {
  const starts = [];
  for (let turn = 0; turn < times; turn += 1) {
    await part.restartWorker();
    const ready = performance.now();
    await sendOnce(part.target, request);
    const answered = performance.now();
    await sendOnce(part.target, request);
    const spawned = part.workerdStartedAt;
    starts.push({ ready: ready - spawned, first: answered - ready, answer: answered - spawned, second: performance.now() - answered });
  }
  return Object.fromEntries(Object.keys(starts[0]).map((name) => [name, median(starts.map((start) => start[name]))]));
}
