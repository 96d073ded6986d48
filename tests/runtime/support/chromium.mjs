// A real browser for the tests that need its rules: how it is started, how pages are looked at. Screenshots go to
// `.output/`, for people to look at.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ensureBrowser } from "../../../scripts/lib/browser.mjs";
import { ROOT } from "../../../scripts/lib/project.mjs";

const OUTPUT = join(ROOT, "tests", "runtime", ".output");
const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
];
const LIMIT_MS = 15_000;

export const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

/** The browser's program, or undefined. `npm test` has looked already; a file run by itself looks here. CI never skips. */
export const findChromium = async () => process.env.M365_CHROMIUM ?? (await ensureBrowser({ required: process.env.CI === "true" }));

export const launch = (executablePath) => chromium.launch({ executablePath, args: ARGS });

/** A page of a fresh browser profile that keeps count of what must not happen; `origins` are all it may ask. */
export async function newPage(browser, origins, options = LOOKS.light) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  const faults = [];
  const allowed = origins.map((address) => new URL(address).origin);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && !allowed.includes(origin)) faults.push(`request to ${request.url()}`);
  });
  return { page, faults, close: () => context.close() };
}

export function shoot(page, name) {
  mkdirSync(OUTPUT, { recursive: true });
  return page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true });
}

/** Nothing is cut off: the page is no wider than the screen. */
export async function assertFits(page) {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  assert.ok(wide <= screen, `${wide} px on a screen of ${screen}`);
}
