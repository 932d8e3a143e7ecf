-- Until when a run that has not begun may be left to the run of a later event about its record; null if it may not.
ALTER TABLE runs ADD COLUMN coalesce_until BIGINT;
