-- The object of one user: which grants there are. No name, no address, no token; what a grant is, its own object says.
CREATE TABLE IF NOT EXISTS user_grants (
  grant_id TEXT PRIMARY KEY,
  -- SHA-256 of the client, base64url: two sign-ins of one slot are one client signed in anew. NULL once it ended.
  slot TEXT,
  -- The order in which sign-ins were finished; 0 for what was there before this table.
  place INTEGER NOT NULL,
  -- Unix seconds. The row stays until then also when the grant ended before, so that a late message revives nothing.
  ends_at INTEGER NOT NULL
);
