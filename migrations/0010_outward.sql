-- The object of one user: what went out to other people lately, one row each. Not what, and not to whom.
CREATE TABLE IF NOT EXISTS outward (
    -- Unix seconds after which it counts no more.
    ends_at INTEGER NOT NULL
);
