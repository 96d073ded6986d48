// What is measured: for each case one operation of the product and the floor's operation beside it. The floor gets the
// headers of the same request, so that what reading HTTP costs is on both sides.
import { refreshOnce, openSession, rpc } from "./clients.mjs";

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {"worker" | "object" | "loop"} floor
 * @property {number} [aim] how many times the floor's CPU it may cost
 * @property {(send: Function, client: object) => Promise<unknown>} product
 * @property {(client: object) => object} request the first request of `product`
 */

const metadata = { path: "/.well-known/oauth-authorization-server" };

/** @type {Case[]} */
export const CASES = [
  { name: "metadata", floor: "worker", request: () => metadata, product: (send) => send(metadata) },
  {
    name: "tools/list",
    floor: "worker",
    aim: 2,
    request: (client) => rpc(client, "tools/list"),
    product: (send, client) => send(rpc(client, "tools/list")),
  },
  {
    name: "getEmails",
    floor: "loop",
    aim: 1.2,
    request: (client) => rpc(client, "tools/call", GET_EMAILS),
    product: (send, client) => send(rpc(client, "tools/call", GET_EMAILS)),
  },
  {
    name: "token refresh",
    floor: "object",
    aim: 4,
    request: refreshOnce.request,
    product: refreshOnce,
  },
  {
    name: "open a session",
    floor: "object",
    aim: 4,
    request: openSession.request,
    product: openSession,
  },
];

export const GET_EMAILS = { name: "getEmails", arguments: { count: 10 } };
export const MAILS_PER_ANSWER = 10;

/** The floor's operation of a case; `loop` is what its gateway loop asks Graph for, and with which token. */
export function floorOperation(benchCase, loop) {
  return (send, client, index) => {
    const request = benchCase.request(client);
    // Without the body: workerd may close a connection whose body nobody reads.
    if (benchCase.floor === "worker") return send({ headers: request.headers, path: "/json" });
    if (benchCase.floor === "object") return send({ headers: request.headers, path: `/object/${index}` });
    return send({
      method: "POST",
      path: `/loop/${index}`,
      headers: { ...request.headers, authorization: `Bearer ${loop.token}`, "content-type": "text/plain" },
      body: loop.path,
    });
  };
}
