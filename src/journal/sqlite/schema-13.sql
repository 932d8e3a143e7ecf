-- Alerts: what is wrong or was, who was told of it, and what is still to be told.
CREATE TABLE alerts (
    -- What it is about.
    key     TEXT PRIMARY KEY,
    -- Counts its changes: one that was decided on another version is not stored.
    version INTEGER NOT NULL,
    -- 1 while it is open or something is to be told.
    live    INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    alert   TEXT NOT NULL
) WITHOUT ROWID;
