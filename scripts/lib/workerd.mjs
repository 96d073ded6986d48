// Miniflare keeps workerd's process to itself; Node announces every child that it starts.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { atEnd } from "./process.mjs";

/** The workerd of one Miniflare instance: it is looked for while that instance starts it, and only then. */
class Workerd {
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

export const withoutUndefined = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** Starts workerd by Miniflare with these options; it ends with this process at the latest. */
export async function startMiniflare(options) {
  // Imported here: set-up must be able to run before the package is installed.
  const { Log, LogLevel, Miniflare } = await import("miniflare");
  const quiet = { log: new Log(LogLevel.NONE), structuredWorkerdLogs: true, ...options };
  const workerd = new Workerd();
  let miniflare;
  const dispose = () => miniflare.dispose();
  const disposed = atEnd(dispose);
  await workerd
    .during(() => {
      miniflare = new Miniflare(quiet);
      return miniflare.ready;
    })
    .catch(async (error) => {
      await dispose();
      throw error;
    });
  return {
    workerd,
    kv: (binding) => miniflare.getKVNamespace(binding),
    restart: (bindings = {}) =>
      workerd.during(async () => {
        quiet.bindings = withoutUndefined({ ...quiet.bindings, ...bindings });
        await miniflare.setOptions(quiet);
        await miniflare.ready;
      }),
    stop: async () => {
      disposed();
      await dispose();
    },
  };
}
