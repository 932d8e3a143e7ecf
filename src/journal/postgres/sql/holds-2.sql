-- Connections whose credential is refused: their runs wait.
CREATE TABLE holds (
    connection TEXT COLLATE "C" PRIMARY KEY,
    -- Also the reason of the runs that wait for it.
    reason     TEXT NOT NULL,
    since      BIGINT NOT NULL
);
