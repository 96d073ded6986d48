-- The object of one user: what Microsoft Graph asked of the user's next access token and Entra did not give without
-- the user. The next sign-in takes it along to Entra.
CREATE TABLE IF NOT EXISTS user_claims (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  -- A claims request (OpenID Connect Core section 5.5), JSON, at most some kilobytes. Names nobody.
  claims TEXT NOT NULL,
  -- Unix seconds.
  ends_at INTEGER NOT NULL
);
