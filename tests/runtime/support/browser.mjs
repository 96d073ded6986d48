// A browser without a screen: cookies by RFC 6265 and its `__Host-` rule, redirects one at a time, forms as posted by a
// person who presses a button. For rules that only a real browser has, see browser.test.mjs.
import assert from "node:assert/strict";

const MAX_REDIRECTS = 10;

/** Cookies of one browser. They belong to a host, whatever its port. */
class Jar {
  #cookies = new Map();

  take(url, response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const [name, value] = splitOnce(pair, "=");
      const flags = new Map(attributes.map((text) => splitOnce(text, "=")).map(([key, to]) => [key.toLowerCase(), to]));
      if (name.startsWith("__Host-")) {
        assert.ok(flags.has("secure") && flags.get("path") === "/" && !flags.has("domain"), `a browser drops ${name}`);
      }
      const key = `${url.hostname} ${name}`;
      if (Number(flags.get("max-age") ?? 1) <= 0) this.#cookies.delete(key);
      else this.#cookies.set(key, { name, value, host: url.hostname, path: flags.get("path") ?? "/", flags });
    }
  }

  header(url) {
    const fitting = this.all().filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path));
    return fitting.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  all() {
    return [...this.#cookies.values()];
  }
}

/** One person's browser. `headers` go with every request to the Worker (Access puts its own there). */
export class Browser {
  jar = new Jar();

  constructor(headers = {}) {
    this.headers = headers;
  }

  /** One request, redirect not followed. */
  async request(url, { method = "GET", body, headers = {}, from } = {}) {
    const target = new URL(url);
    const site = from ? siteOf(new URL(from), target) : "none";
    const cookie = this.jar.header(target);
    const response = await fetch(target, {
      method,
      body,
      redirect: "manual",
      headers: {
        accept: "text/html,*/*;q=0.8",
        "sec-fetch-site": site,
        "sec-fetch-mode": "navigate",
        ...(cookie ? { cookie } : {}),
        ...(method === "POST" ? { origin: new URL(from).origin } : {}),
        ...this.headers,
        ...headers,
      },
    });
    this.jar.take(target, response);
    return response;
  }

  /** Follows redirects until a page comes, or a redirect to an address for which `stop` is true. */
  async visit(url, { stop = () => false, from, ...options } = {}) {
    let [current, request, origin] = [new URL(url), options, from];
    for (let hop = 0; hop < MAX_REDIRECTS; hop += 1) {
      if (stop(current)) return { url: current };
      const response = await this.request(current, { ...request, from: origin });
      const location = response.headers.get("location");
      if (!location) return { url: current, response, html: await response.text() };
      await response.body?.cancel();
      origin = current.href;
      current = new URL(location, current);
      // After 302 and 303 a browser goes on with GET.
      request = {};
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects, last ${current.origin}${current.pathname}`);
  }

  /** Presses the button of a page's form whose name, value or text matches. */
  press(page, button, options = {}) {
    const { action, fields } = formOf(page, button);
    return this.visit(action, {
      method: "POST",
      body: new URLSearchParams(fields).toString(),
      from: page.url.href,
      ...options,
      headers: { "content-type": "application/x-www-form-urlencoded", ...options.headers },
    });
  }
}

/** What pressing a button would post, and where. */
export function formOf(page, button) {
  for (const [, attributes, inside] of page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)) {
    const pressed = [...inside.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)]
      .map(([, text, label]) => ({ ...attributesOf(text), label: label.replace(/<[^>]*>/g, " ") }))
      .find(({ name, value, label }) => button.test(`${name}=${value} ${label}`));
    if (!pressed) continue;
    const hidden = [...inside.matchAll(/<input\b([^>]*)>/gi)].map(([, text]) => attributesOf(text)).filter(({ name }) => name);
    const fields = hidden.map(({ name, value = "" }) => [name, value]);
    if (pressed.name) fields.push([pressed.name, pressed.value ?? ""]);
    return { action: new URL(attributesOf(attributes).action || page.url.href, page.url).href, fields };
  }
  throw new Error(`no button ${button} on ${page.url.pathname}:\n${page.html.slice(0, 2000)}`);
}

function attributesOf(text) {
  const pairs = [...text.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)];
  return Object.fromEntries(pairs.map(([, name, a, b, c]) => [name.toLowerCase(), unescape(a ?? b ?? c ?? "")]));
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'", "#34": '"', "#38": "&", "#60": "<", "#62": ">", "#x2F": "/" };
const unescape = (text) => text.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);

const siteOf = (from, to) => (from.origin === to.origin ? "same-origin" : from.hostname === to.hostname ? "same-site" : "cross-site");

function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
