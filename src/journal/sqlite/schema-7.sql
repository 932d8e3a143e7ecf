-- `due` is a time only: 0 is long past, that is at once. Before, a run that waited for no time had its priority there.
UPDATE runs SET due = 0 WHERE due < 2;
DROP INDEX runs_due;
CREATE INDEX runs_due ON runs (due) WHERE due > 0;
CREATE INDEX runs_ready ON runs (priority, seq) WHERE due = 0;
