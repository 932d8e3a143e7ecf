-- What operators did, in the dashboard and on the command line.
CREATE TABLE acts (
    -- In the order of time.
    id       TEXT COLLATE "C" PRIMARY KEY,
    at       BIGINT NOT NULL,
    operator TEXT COLLATE "C" NOT NULL,
    -- The client's address, or how else it was done.
    origin   TEXT NOT NULL,
    act      TEXT COLLATE "C" NOT NULL,
    target   TEXT NOT NULL,
    runs     BIGINT NOT NULL
);
CREATE INDEX acts_at ON acts (at);

-- Logins of the dashboard. The secret in the cookie is stored only as a hash.
CREATE TABLE sessions (
    id         BYTEA PRIMARY KEY,
    operator   TEXT COLLATE "C" NOT NULL,
    -- A hash of the credential that was used.
    credential BYTEA NOT NULL,
    started    BIGINT NOT NULL,
    used       BIGINT NOT NULL
);
CREATE INDEX sessions_used ON sessions (used);
