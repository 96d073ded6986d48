// The published Rust SDK, in each of its ways to agree on a revision, on both URLs. It has no HTTP+SSE.
import { buildRmcpClient } from "../../scripts/lib/rmcp.mjs";
import { drive } from "./support/driver.mjs";
import { journeys } from "./support/journey.mjs";
import { serve } from "./support/server.mjs";

const REVISIONS = { initialize: "2025-11-25", auto: "2026-07-28", discover: "2026-07-28" };

const [server, binary] = await Promise.all([serve(), buildRmcpClient()]);

journeys(
  server,
  ["/mcp", "/sse"].flatMap((path) =>
    Object.entries(REVISIONS).map(([mode, revision]) => ({
      name: `rmcp, ${mode} on ${path}`,
      revision,
      start: (url) => drive(binary, [url + path, mode]),
    })),
  ),
);
