// A certificate instead of the client secret: signed by WebCrypto in workerd, checked by the emulator.
import assert from "node:assert/strict";
import test from "node:test";
import { throwawaySecrets } from "../../scripts/lib/secrets.mjs";
import { certificatePair } from "./support/certificate.mjs";
import { Session, items } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { event, serve } from "./support/server.mjs";

test("the Worker signs in and the object renews by assertion, and nothing of the key is logged", async () => {
  const { MICROSOFT_CLIENT_SECRET: _, ...others } = throwawaySecrets();
  const pair = certificatePair();
  const server = await serve({ secrets: { ...others, ...pair } });
  const { emulator, url } = server;
  const session = await Session.open(url, (await signIn(url)).access);
  await emulator.expireMicrosoftTokens();
  assert.equal(items(await session.call("getEmails", { count: 1 })).length, 1);
  await event(server, "entra.refresh", ({ reason }) => reason === "renewed");
  const calls = (await emulator.entraCalls()).filter(({ endpoint }) => endpoint === "token");
  assert.deepEqual(
    calls.map(({ grant_type: grant, client_auth: auth, outcome }) => [grant, auth, outcome]),
    [
      ["authorization_code", "assertion", "ok"],
      ["refresh_token", "assertion", "ok"],
    ],
  );
  const key = pair.MICROSOFT_CLIENT_PRIVATE_KEY.split("\n")[1];
  assert.ok(server.logs().every(({ message }) => !message.includes(key) && !message.includes("client_assertion")));
});
