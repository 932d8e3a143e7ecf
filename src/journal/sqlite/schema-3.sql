-- Connections whose credential is refused: their runs wait.
CREATE TABLE holds (
    connection TEXT PRIMARY KEY,
    -- Also the reason of the runs that wait for it.
    reason     TEXT NOT NULL,
    since      INTEGER NOT NULL
) WITHOUT ROWID;
