// Writes down what goes over the wire while tests run: every secret that a client, a browser, Access or Entra was given
// or sent. What was never seen cannot be looked for, so nothing is listed by hand.

/** Parameters that are no secrets: names, addresses, and what only says which way something is done. */
const PUBLIC = new Set([
  "client_id", "redirect_uri", "resource", "scope", "grant_type", "response_type", "response_mode", "code_challenge_method", "prompt", "user",
  "iss", "error", "error_description", "client_assertion_type", "token_endpoint_auth_method", "decision", "token_type_hint", "token_type",
  "domain_hint", "login_hint", "client_name", "action", "grant", "intent", "tenant",
]);
const LEAST = 16;

/** What was seen. `secrets` may be nowhere; `transient` may be stored, and is in no log: states and whole queries. */
export class Witness {
  secrets = new Map();
  transient = new Map();

  /** Watches `fetch` until the returned function is called; only what goes to or comes from `origins`. */
  watch(origins) {
    const real = globalThis.fetch;
    globalThis.fetch = async (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const ours = origins.includes(url.origin) && !url.pathname.startsWith("/_control");
      if (ours) this.#sent(url, init);
      const response = await real(input, init);
      if (ours) await this.#came(response);
      return response;
    };
    return () => (globalThis.fetch = real);
  }

  #sent(url, { headers, body }) {
    this.#address(url);
    const all = new Headers(headers);
    this.#keep("authorization", all.get("authorization")?.replace(/^\w+ /, ""));
    this.#keep("assertion", all.get("cf-access-jwt-assertion"));
    for (const pair of all.get("cookie")?.split("; ") ?? []) this.#keep("cookie", pair.slice(pair.indexOf("=") + 1));
    if (all.get("content-type")?.startsWith("application/x-www-form-urlencoded")) this.#pairs(new URLSearchParams(body));
  }

  async #came(response) {
    for (const line of response.headers.getSetCookie()) this.#keep("cookie", line.slice(line.indexOf("=") + 1).split(";")[0]);
    const location = response.headers.get("location");
    if (location) this.#address(new URL(location, response.url));
    if (!response.headers.get("content-type")?.startsWith("application/json")) return;
    const body = await response.clone().json().catch(() => undefined);
    for (const name of ["access_token", "refresh_token", "client_secret", "id_token"]) this.#keep(name, body?.[name]);
  }

  #address(url) {
    if (url.search.length > LEAST) this.transient.set(url.search.slice(1), "query");
    this.#pairs(url.searchParams);
  }

  #pairs(params) {
    for (const [name, value] of params) {
      if (PUBLIC.has(name)) continue;
      if (["state", "code_challenge", "nonce", "transaction"].includes(name) && !value.startsWith("m365")) this.#note(this.transient, name, value);
      else this.#keep(name, value);
    }
  }

  #keep(what, value) {
    this.#note(this.secrets, what, value);
  }

  #note(where, what, value) {
    if (typeof value === "string" && value.length >= LEAST) where.set(value, what);
  }
}
