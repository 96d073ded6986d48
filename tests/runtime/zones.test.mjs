// What the platform's clocks are asked: every zone that Windows has a name for.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { freePortPair } from "../../scripts/lib/ports.mjs";
import { startMiniflare } from "../../scripts/lib/workerd.mjs";

const TABLE = new URL("../../src/tools/zone/windows.txt", import.meta.url);
const WORKER = `
  const isUnknown = (timeZone) => {
    try {
      return !new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }).format(0).includes("GMT");
    } catch {
      return true;
    }
  };
  export default { fetch: async (request) => Response.json((await request.json()).filter(isUnknown)) };`;

test("the platform knows every zone by the name that Windows' is told by", async (t) => {
  const zones = (await readFile(TABLE, "utf8")).trim().split("\n").map((line) => line.split("=")[1]);
  assert.ok(zones.length > 100);
  const port = await freePortPair();
  const worker = await startMiniflare({ modules: true, script: WORKER, host: "127.0.0.1", port, cf: false });
  t.after(() => worker.stop());
  const ask = async (names) =>
    (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(names) })).json();
  assert.deepEqual(await ask(zones), []);
  assert.deepEqual(await ask(["Tatooine/Mos_Eisley"]), ["Tatooine/Mos_Eisley"]);
});
