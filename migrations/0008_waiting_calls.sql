-- Calls of legacy sessions whose clients have been asked something and have not answered yet.
CREATE TABLE IF NOT EXISTS waiting_calls (
    -- Random. The ids of the requests to the client begin with it.
    call TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    -- The JSON-RPC id of the client's own request.
    request TEXT NOT NULL,
    stream TEXT NOT NULL,
    -- The call and its dialogue under a key derived of the grant's data key, which only a live client token opens.
    sealed BLOB NOT NULL,
    -- Unix seconds.
    ends_at INTEGER NOT NULL
);
-- What the clients of HTTP+SSE sessions can be asked: the ids of their sessions are older than what they said of it.
CREATE TABLE IF NOT EXISTS session_clients (
    session TEXT PRIMARY KEY,
    capabilities INTEGER NOT NULL
);
