-- Assertions by which the grant's client proved itself: each counts once until it expires.
CREATE TABLE IF NOT EXISTS used_assertions (
    -- SHA-256 of the assertion's jti, base64url.
    jti TEXT PRIMARY KEY,
    -- Unix seconds.
    expires_at INTEGER NOT NULL
);
