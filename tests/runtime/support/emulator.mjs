// The emulator's control interface: faults, keys, and what Entra, Graph and the gateway saw.
import assert from "node:assert/strict";

/** A client of the control interface of this server's emulator. */
export class Emulator {
  constructor(url) {
    this.url = url;
  }

  async ask(method, path, body) {
    const response = await fetch(`${this.url}/_control${path}`, {
      method,
      headers: body ? { "content-type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    assert.equal(response.status, 200, `${method} /_control${path}: ${text}`);
    return JSON.parse(text);
  }

  /** Orders a failure; `times` is 1 unless said otherwise, `Infinity` means until cleared. */
  fault(target, fault, { times = 1, ...rest } = {}) {
    return this.ask("POST", "/faults", { target, fault, ...(Number.isFinite(times) ? { times } : {}), ...rest });
  }

  clearFaults() {
    return this.ask("DELETE", "/faults");
  }

  gatewayLogs() {
    return this.ask("GET", "/gateway/logs");
  }

  graphCalls() {
    return this.ask("GET", "/graph/calls");
  }

  entraCalls() {
    return this.ask("GET", "/entra/calls");
  }

  /** Puts a document at `https://app.contoso.example<path>`. */
  publish(path, document, cacheControl = "no-store") {
    return this.ask("POST", "/publisher/document", { path, document, cacheControl });
  }

  /** What the host of the files' contents was asked. */
  filesCalls() {
    return this.ask("GET", "/files/calls");
  }

  /** The paths of `app.contoso.example` that were asked for. */
  publisherCalls() {
    return this.ask("GET", "/publisher/calls");
  }

  expireMicrosoftTokens(user) {
    return this.ask("POST", "/entra/expire", user ? { user } : {});
  }

  revokeMicrosoftTokens(user) {
    return this.ask("POST", "/entra/revoke", user ? { user } : {});
  }

  rotateAccessKeys(drop = false) {
    return this.ask("POST", "/access/rotate", { drop });
  }

  /** A JWT as Access would put on a request; `claims` say how it is wrong. */
  async accessJwt(claims = {}) {
    const { jwt } = await this.ask("GET", `/access/jwt?${new URLSearchParams(claims)}`);
    return jwt;
  }

  messages(user, folder) {
    return this.ask("GET", `/graph/messages?${new URLSearchParams({ user, folder })}`);
  }

  /** The sent mails of `user` with exactly this subject. */
  async sent(user, subject) {
    return (await this.messages(user, "sentitems")).filter((message) => message.subject === subject);
  }

  /** What Graph saw while `work` ran. Only for files whose tests run one after another. */
  async graphCallsDuring(work) {
    const before = (await this.graphCalls()).length;
    const result = await work();
    return { result, calls: (await this.graphCalls()).slice(before) };
  }
}
