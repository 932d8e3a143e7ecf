-- What hob notes of the store itself, apart from the values that recipes remember.
CREATE TABLE markers (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

-- Earlier versions kept the markers of imports among the remembered values, and cleared them to null.
INSERT INTO markers (name, value)
    SELECT CASE key WHEN 'hob:filled' THEN 'import_completed' ELSE 'import_in_progress' END, value
    FROM state WHERE key IN ('hob:filled-from', 'hob:filled') AND value <> 'null';
DELETE FROM state WHERE key IN ('hob:filled-from', 'hob:filled');
