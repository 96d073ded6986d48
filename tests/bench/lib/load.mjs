// A load generator of our own: clients on kept-alive connections to loopback, each with one operation in flight.
import { Agent, request as open } from "node:http";

/**
 * A way to send requests to one Worker. `port` is workerd's own socket for it, so that Miniflare's router in front is
 * not measured; `host` is what the Worker takes for its address.
 */
export function connectTo({ port, host }, connections) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send = (request) => exchange({ agent, host: "127.0.0.1", port }, host, request);
  return { send, close: () => agent.destroy() };
}

/** One request on a connection that is closed afterwards. */
export const sendOnce = ({ port, host }, request) => exchange({ agent: false, host: "127.0.0.1", port }, host, request);

function exchange(where, hostHeader, { method = "GET", path, headers = {}, body, expect = 200 }) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const outgoing = open({ ...where, method, path, headers: { host: hostHeader, ...headers, ...length } }, (incoming) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const bytes = Buffer.concat(chunks);
        if (incoming.statusCode === expect) return resolve({ headers: incoming.headers, bytes });
        reject(new Error(`${method} ${path}: ${incoming.statusCode} instead of ${expect}: ${bytes.subarray(0, 500)}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/**
 * Runs `operation(client, index)` over and over for `durationMs`, each client one after another.
 * @returns {Promise<{operations: number, seconds: number, latencies: number[]}>} latencies in milliseconds
 */
export async function loadFor(durationMs, clients, operation) {
  const latencies = [];
  const began = performance.now();
  const until = began + durationMs;
  const work = async (client, index) => {
    for (let start = performance.now(); start < until; ) {
      await operation(client, index);
      const end = performance.now();
      latencies.push(end - start);
      start = end;
    }
  };
  await Promise.all(clients.map(work));
  return { operations: latencies.length, seconds: (performance.now() - began) / 1000, latencies };
}

/** The value below which `share` of the sorted numbers lie. */
export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (numbers) => percentile(numbers, 0.5);
