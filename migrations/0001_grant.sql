-- One object is one grant. Times are Unix seconds, digests base64url SHA-256 inside the JSON of `state`.
-- Every statement can run twice: the object's storage has no transactions for statements.

-- The grant: one row, replaced as a whole, so that no step can be half done.
CREATE TABLE IF NOT EXISTS grant_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  phase TEXT NOT NULL CHECK (phase IN ('approved', 'signing_in', 'signed_in', 'active', 'revoked')),
  state TEXT NOT NULL,
  sealed BLOB,
  ends_at INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  listing INTEGER NOT NULL CHECK (listing IN (0, 1, 2))
);

-- Legacy MCP sessions that their clients ended.
CREATE TABLE IF NOT EXISTS ended_sessions (
  session TEXT PRIMARY KEY,
  ended_at INTEGER NOT NULL
);
