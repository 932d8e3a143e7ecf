-- Of runs that may go on at once, those with a lower number go first; it stands in `due` then.
ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

-- What retention asks: whether an event still has a run, and which dedup keys are old.
CREATE INDEX runs_event ON runs (event);
CREATE INDEX receipts_received ON receipts (received);

-- What only one process may do at a time, and which one does it.
CREATE TABLE claims (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

-- Texts of recipes, for runs that began with them.
CREATE TABLE recipes (
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    file    TEXT NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (name, version)
) WITHOUT ROWID;

-- What runs wrote to records of accounts.
CREATE TABLE writes (
    seq        INTEGER PRIMARY KEY,
    -- The run's seq.
    run        INTEGER NOT NULL,
    record     TEXT NOT NULL,
    connection TEXT NOT NULL,
    operation  TEXT NOT NULL,
    fields     TEXT NOT NULL,
    at         INTEGER NOT NULL
);
CREATE INDEX writes_record ON writes (record, at);
CREATE INDEX writes_run ON writes (run);
