-- What calls said to their clients, so that a client whose connection broke can take it up again.
CREATE TABLE IF NOT EXISTS streams (
    stream TEXT PRIMARY KEY,
    -- The legacy session that it belongs to.
    session TEXT NOT NULL,
    -- The JSON-RPC id of the request that it answers.
    request TEXT NOT NULL,
    -- The number of the newest event, sent or not; 0 before the first.
    last INTEGER NOT NULL,
    -- Whether that was the last one.
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    -- Unix seconds of the newest event, or of the beginning.
    at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS stream_events (
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- The JSON-RPC message under a key derived of the grant's data key, which only a live client token opens.
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, number)
);
