-- What the two records had when they were last made equal, as JSON, and how often that was noted.
ALTER TABLE links ADD COLUMN base TEXT;
ALTER TABLE links ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
