-- Creates of the run that were sent, or are about to be, and of which nothing is known yet, as JSON.
ALTER TABLE runs ADD COLUMN unsettled TEXT;
CREATE INDEX runs_unsettled ON runs (seq) WHERE unsettled IS NOT NULL;
