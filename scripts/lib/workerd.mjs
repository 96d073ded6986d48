// Miniflare keeps workerd's process to itself; Node announces every child that it starts.
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** The workerd of one Miniflare instance: it is looked for while that instance starts it, and only then. */
export class Workerd {
  #started = [];

  /** Runs `start`, which starts workerd; several instances must not do so at the same time. */
  async during(start) {
    // What program a child runs is not known yet when it is announced.
    const note = ({ process: child }) => this.#started.push({ child, at: performance.now() });
    subscribe("child_process", note);
    try {
      return await start();
    } finally {
      unsubscribe("child_process", note);
    }
  }

  /** Its process id while it runs. */
  get pid() {
    return this.#running?.child.pid;
  }

  /** When it was started, on the clock of `performance.now()`. */
  get startedAt() {
    return this.#running?.at;
  }

  get #running() {
    const runs = ({ exitCode, signalCode }) => exitCode === null && signalCode === null;
    return this.#started.findLast(({ child }) => child.spawnfile?.includes("workerd") && runs(child));
  }
}
