// Server-sent events by hand, and the object of a grant watched from outside.
import { join } from "node:path";
import { until } from "./until.mjs";

/** An open stream and what came over it so far. */
export class EventStream {
  events = [];
  comments = 0;
  ended = false;
  #abort = new AbortController();

  /** Opens a stream by GET; `response` holds the refusal where there is none. */
  static async open(url, { path = "/mcp", token, session, lastEventId }) {
    const stream = new EventStream();
    const headers = {
      accept: "text/event-stream",
      authorization: `Bearer ${token}`,
      ...(session ? { "mcp-session-id": session } : {}),
      ...(lastEventId ? { "last-event-id": lastEventId } : {}),
    };
    stream.response = await fetch(url + path, { headers, signal: stream.#abort.signal });
    if (stream.response.ok) stream.#read(stream.response.body);
    return stream;
  }

  /** Reads the answer of a POST as a stream. */
  static of(response) {
    const stream = new EventStream();
    stream.response = response;
    stream.#read(response.body);
    return stream;
  }

  async #read(body) {
    let rest = "";
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + chunk).split("\n\n");
        rest = parts.pop();
        for (const part of parts) this.#take(part);
      }
    } catch {
      // Aborted by us, or the Worker has gone.
    }
    this.ended = true;
  }

  #take(part) {
    if (part.startsWith(":")) {
      this.comments += 1;
      return;
    }
    const fields = part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trimStart()]);
    const event = Object.fromEntries(fields);
    this.events.push({ ...event, message: event.data?.startsWith("{") ? JSON.parse(event.data) : undefined });
  }

  /** The first event that fits, once it is there. */
  next(what, fits) {
    return until(what, () => this.events.find(fits));
  }

  close() {
    this.#abort.abort();
  }
}

const WATCHED = `
import inner, { MicrosoftMcpAgent as Inner } from "./index.js";
const say = (event, ctx) => console.log(JSON.stringify({ event, sockets: ctx.getWebSockets().length }));
export default inner;
export class MicrosoftMcpAgent {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.inner = new Inner(ctx, env);
    say("watch.started", ctx);
  }
  fetch(request) { return this.inner.fetch(request); }
  alarm() { return this.inner.alarm(); }
  webSocketMessage(...args) { return this.inner.webSocketMessage(...args); }
  webSocketError(...args) { return this.inner.webSocketError?.(...args); }
  async webSocketClose(...args) {
    await this.inner.webSocketClose(...args);
    say("watch.closed", this.ctx);
  }
}`;

/**
 * For `serve({ alter })`: the same class, which says when an object is made (`watch.started`, which an eviction alone
 * makes happen again) and when it learns that a socket has closed (`watch.closed`), and how many are open.
 */
export function watched(options) {
  const { modulesRoot, modules } = options;
  return { ...options, modules: [{ type: "ESModule", path: join(modulesRoot, "watched.js"), contents: WATCHED }, ...modules] };
}
