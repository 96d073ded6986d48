// One server for a test file: started before its tests, stopped after them.
import { after } from "node:test";
import { TENANT_ID, startServer } from "../../../scripts/server.mjs";
import { Emulator } from "./emulator.mjs";
import { until } from "./until.mjs";

export { ACCESS_AUD, TENANT_ID } from "../../../scripts/server.mjs";

/** Object ids of the emulator's people. */
const OIDS = { "adele@contoso.example": "ad000000-0000-4000-8000-000000000001" };

/** The `tid:oid` of an invented user. */
export const userIdOf = (email) => `${TENANT_ID}:${OIDS[email]}`;

/** Starts Worker and emulator for the calling test file; `emulator` is its control interface. */
export async function serve(options = {}) {
  const server = await startServer(options);
  after(() => server.stop());
  // Not a copy: `workerdPid` is a getter.
  server.emulator = new Emulator(server.emulatorUrl);
  return server;
}

/** The Worker's event of this name that fits, once its line has come. */
export function event(server, name, fits = () => true) {
  return until(`an event ${name}`, () => server.events(name).findLast(fits));
}
