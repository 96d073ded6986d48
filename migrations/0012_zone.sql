-- The mailbox's time zone as it was last heard: its name, or NULL where the mailbox did not say.
CREATE TABLE IF NOT EXISTS mailbox_zone (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT,
    -- Unix seconds until which it counts.
    until INTEGER NOT NULL
);
