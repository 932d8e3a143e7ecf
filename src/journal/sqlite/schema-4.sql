-- What is kept of the limits of accounts: one text for each.
CREATE TABLE request_counters (
    account TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    state   TEXT NOT NULL
) WITHOUT ROWID;
