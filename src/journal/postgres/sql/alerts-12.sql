-- Alerts: what is wrong or was, who was told of it, and what is still to be told.
CREATE TABLE alerts (
    -- What it is about.
    key     TEXT COLLATE "C" PRIMARY KEY,
    -- Counts its changes: one that was decided on another version is not stored.
    version BIGINT NOT NULL,
    -- 1 while it is open or something is to be told.
    live    BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    alert   TEXT NOT NULL
);
