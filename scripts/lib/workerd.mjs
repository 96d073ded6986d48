// Miniflare keeps workerd's process to itself; Node announces every child that it starts.
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Follows the workerd processes that are started from now on. */
export function watchForWorkerd() {
  const started = [];
  const note = ({ process: child }) => started.push({ child, at: performance.now() });
  subscribe("child_process", note);
  const newest = () => started.findLast(({ child }) => child.spawnfile?.includes("workerd") && child.exitCode === null && child.signalCode === null);
  return {
    pid: () => newest()?.child.pid,
    /** When it was started, on the clock of `performance.now()`. */
    startedAt: () => newest()?.at,
    forget: () => unsubscribe("child_process", note),
  };
}
