-- Times are nanoseconds since 1970. `seq` is the order of arrival.

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- Written to learn whether the store takes writes.
CREATE TABLE probe (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
);

CREATE TABLE events (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    source     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    connection TEXT,
    record     TEXT,
    dedup      TEXT NOT NULL,
    received   INTEGER NOT NULL,
    payload    TEXT NOT NULL
);
CREATE INDEX events_received ON events (received);

-- Dedup keys outlive their events. A key is 16 bytes of a hash of source and dedup key.
CREATE TABLE receipts (
    key      BLOB PRIMARY KEY,
    received INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    -- The event's seq.
    event    INTEGER NOT NULL,
    recipe   TEXT NOT NULL,
    lane     TEXT NOT NULL,
    accounts TEXT NOT NULL,
    record   TEXT,
    version  TEXT,
    state    INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    finished INTEGER,
    error    TEXT,
    -- When it may be leased, 0 for at once; null where it may not: leased, parked, finished, or
    -- behind another run of its lane.
    due      INTEGER,
    owner    TEXT,
    epoch    INTEGER NOT NULL DEFAULT 0,
    until    INTEGER,
    entries  INTEGER NOT NULL DEFAULT 0
);
-- Work: both hold only runs that are not finished.
CREATE INDEX runs_due ON runs (due) WHERE due IS NOT NULL;
CREATE INDEX runs_until ON runs (until) WHERE until IS NOT NULL;
CREATE INDEX runs_lane ON runs (recipe, lane) WHERE finished IS NULL;
-- Lists, newest first; a list over several states merges their ranges.
CREATE INDEX runs_state ON runs (state, created);
CREATE INDEX runs_recipe ON runs (recipe, state, created);
CREATE INDEX runs_record ON runs (record, created) WHERE record IS NOT NULL;

CREATE TABLE entries (
    -- The run's seq times 2^20, plus the entry's place in the run: a run's entries lie together.
    id    INTEGER PRIMARY KEY,
    entry TEXT NOT NULL
);

CREATE TABLE cursors (
    seq    INTEGER PRIMARY KEY,
    key    TEXT NOT NULL UNIQUE,
    cursor TEXT NOT NULL
);

CREATE TABLE seen (
    -- The cursor's seq.
    cursor      INTEGER NOT NULL,
    record      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    scan        INTEGER NOT NULL,
    PRIMARY KEY (cursor, record)
) WITHOUT ROWID;

CREATE TABLE links (
    name        TEXT NOT NULL,
    from_record TEXT NOT NULL,
    to_record   TEXT NOT NULL,
    PRIMARY KEY (name, from_record),
    UNIQUE (name, to_record)
) WITHOUT ROWID;
CREATE INDEX links_from ON links (from_record);
CREATE INDEX links_to ON links (to_record);

CREATE TABLE state (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
