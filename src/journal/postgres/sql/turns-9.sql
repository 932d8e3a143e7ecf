-- Recipes and their accounts take turns. `due` is also 1, for a run whose wait is over, which takes turns as well.
DROP INDEX runs_ready;
CREATE INDEX runs_ready ON runs (priority, recipe, accounts, due, seq) WHERE due <= 1;
