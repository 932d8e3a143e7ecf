-- Values that identify people and records, such as e-mail addresses, and the events with them in themselves or in what their
-- runs wrote. Filled after the fact.
CREATE TABLE identifiers (
    -- 16 bytes of a hash.
    key   BYTEA NOT NULL,
    -- The event's seq.
    event BIGINT NOT NULL,
    PRIMARY KEY (key, event)
);
CREATE INDEX identifiers_event ON identifiers (event);
