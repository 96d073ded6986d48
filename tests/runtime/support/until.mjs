// Waiting for the outside world: asks again until the answer is there or the deadline has passed. Never a fixed sleep.
import { setTimeout as pause } from "node:timers/promises";

const INTERVAL_MS = 25;
const LIMIT_MS = 10_000;

/**
 * Calls `ask` until it gives something truthy and returns that; fails with `what` when the time is over.
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} ask
 * @param {number} [limitMs]
 */
export async function until(what, ask, limitMs = LIMIT_MS) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(INTERVAL_MS);
  }
}

/** The promise's value, or an error that names `what` after the limit. */
export async function within(limitMs, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
