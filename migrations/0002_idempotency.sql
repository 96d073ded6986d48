-- What was done under an idempotency key: enough to never do it twice, and no text of a mail or message.
CREATE TABLE IF NOT EXISTS idempotency (
    tool TEXT NOT NULL,
    -- SHA-256 of the caller's key, base64url.
    key TEXT NOT NULL,
    -- SHA-256 of what was asked, so that the key cannot come back with something else.
    arguments TEXT NOT NULL,
    -- Graph's immutable id of the draft, once it is known.
    draft TEXT,
    -- begun, drafted, sending or done.
    step TEXT NOT NULL,
    -- Who is at work on it, and until when that is believed. NULL when nobody is.
    lease TEXT,
    leased_until INTEGER NOT NULL,
    -- Unix seconds of the last step.
    at INTEGER NOT NULL,
    PRIMARY KEY (tool, key)
);
