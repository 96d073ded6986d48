-- The object of one UTC day: how many clients registered themselves on it, everywhere together.
CREATE TABLE IF NOT EXISTS registrations (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    count INTEGER NOT NULL,
    -- Unix seconds of the midnight after which the object is erased.
    ends_at INTEGER NOT NULL
);
