-- What processes share of the limits of an account: one text, which each of them replaces by what it makes of
-- it.

CREATE TABLE request_counters (
    account TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    state   TEXT NOT NULL
) WITH (fillfactor = 50);
