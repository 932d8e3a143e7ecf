-- What operators did, in the dashboard and on the command line.
CREATE TABLE acts (
    -- In the order of time.
    id       TEXT PRIMARY KEY,
    at       INTEGER NOT NULL,
    operator TEXT NOT NULL,
    -- The client's address, or how else it was done.
    origin   TEXT NOT NULL,
    act      TEXT NOT NULL,
    target   TEXT NOT NULL,
    runs     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX acts_at ON acts (at);

-- Logins of the dashboard. The secret in the cookie is stored only as a hash.
CREATE TABLE sessions (
    id         BLOB PRIMARY KEY,
    operator   TEXT NOT NULL,
    -- A hash of the credential that was used.
    credential BLOB NOT NULL,
    started    INTEGER NOT NULL,
    used       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_used ON sessions (used);
