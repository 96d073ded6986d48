-- Calls that outlast their request, of clients that know tasks (MCP 2026-07-28, io.modelcontextprotocol/tasks).
CREATE TABLE IF NOT EXISTS tasks (
    -- Random: what the client asks by.
    task TEXT PRIMARY KEY,
    -- Unix milliseconds.
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Unix seconds after which it is forgotten.
    ends_at INTEGER NOT NULL,
    -- How it stands and what it came to, under a key derived of the grant's data key, which only a live client token opens.
    sealed BLOB NOT NULL
);
