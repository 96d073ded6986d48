// What a process has used, as Linux counts it. It includes every thread and nothing of its parent or children.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Failure } from "../../../scripts/lib/terminal.mjs";

const KIB = 1024;
/** Fields of /proc/pid/stat after the name's bracket, counted from 0 (proc(5): utime is 14, stime 15). */
const UTIME = 11;
const STIME = 12;

const ticksPerSecond = () => Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
let tickMs;

/** Fails where there is no /proc: CPU time of another process cannot be had by Node alone. */
export function requireProc() {
  if (!existsSync("/proc/self/stat")) {
    throw new Failure("the benchmark needs Linux", { why: "it reads workerd's CPU time and memory from /proc" });
  }
}

/** CPU time in milliseconds, user and system, in steps of one clock tick. */
export function cpuMs(pid) {
  tickMs ??= 1000 / ticksPerSecond();
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[UTIME]) + Number(fields[STIME])) * tickMs;
}

/** Resident bytes: all of it, and what is the process's own (no program text, no mapped files). */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1] ?? 0) * KIB;
  return { all: read("VmRSS"), own: read("RssAnon") };
}
