-- From which log level on the client of a legacy session wants to be told things.
CREATE TABLE IF NOT EXISTS log_levels (
    session TEXT PRIMARY KEY,
    level TEXT NOT NULL
);
-- Of which resources it wants to hear when they change.
CREATE TABLE IF NOT EXISTS subscriptions (
    session TEXT NOT NULL,
    uri TEXT NOT NULL,
    PRIMARY KEY (session, uri)
);
