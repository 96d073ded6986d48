// Single steps of a sign-in, for tests that repeat one, race it, or put something between two of them.
import { Browser, formOf } from "./browser.mjs";
import { initialize, post } from "./mcp.mjs";
import { ADELE, APPROVE, REDIRECT_URI, approve, authorizeUrl, chooseAccountOnly, isAt, openConsent, pkce, register } from "./oauth.mjs";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** A browser at the consent page of a fresh client; `headers` are Access's, `apiHeaders` go with the registration. */
export async function atConsent(url, { headers, apiHeaders } = {}) {
  const { client_id: clientId } = await register(url, { headers: apiHeaders });
  const { verifier, challenge } = pkce();
  const browser = new Browser(headers);
  const consent = await openConsent(browser, authorizeUrl(url, { clientId, challenge }));
  return { browser, consent, clientId, verifier, redirectUri: REDIRECT_URI };
}

/** Posts the consent page's form as its button would, redirect not followed; `fields` replaces what is posted. */
export function postConsent({ browser, consent }, { fields, ...options } = {}) {
  const form = formOf(consent, APPROVE);
  const body = new URLSearchParams(fields ?? form.fields).toString();
  return browser.request(form.action, { method: "POST", body, from: consent.url.href, ...options, headers: { ...FORM, ...options.headers } });
}

/** A browser that is back from Microsoft, the callback not asked yet. */
export async function beforeCallback(url, options = {}) {
  const flow = await atConsent(url, options);
  const accounts = await approve(flow.browser, flow.consent);
  const { url: callback } = await chooseAccountOnly(flow.browser, accounts, options.user ?? ADELE);
  return { ...flow, callback };
}

/** Asks the callback; the code that the client is given. */
export async function codeFrom({ browser, callback }) {
  const end = await browser.visit(callback, { stop: isAt(REDIRECT_URI) });
  return end.url.searchParams.get("code");
}

/** Whether an access token counts at the MCP endpoint. */
export const isLive = async (url, access) => (await post(url, { token: access, body: initialize() })).status === 200;

/** How many calls of Entra's token endpoint there were. */
export const tokenCalls = async (emulator) => (await emulator.entraCalls()).filter((call) => call.endpoint === "token").length;

/** Runs `work` this many times at once. */
export const atOnce = (times, work) => Promise.all(Array.from({ length: times }, (_, index) => work(index)));
