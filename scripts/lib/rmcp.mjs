// The client of the tests that is written in Rust, as a program.
import { buildProgram } from "./rust.mjs";

/** Compiles it, unless `npm test` has already, and returns the path of its binary. */
export const buildRmcpClient = ({ onLine } = {}) =>
  process.env.M365_RMCP_BIN ?? buildProgram("m365-client-rmcp", { what: "the client by rmcp", onLine });
