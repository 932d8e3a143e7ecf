-- Appends what a person decided about a run that has `seen` entries and is not leased; whether it was
-- so. A finished run that is to go on goes behind what is under way in its lane.
CREATE FUNCTION hob_amend_vN(
    run_id TEXT, seen INTEGER, stamp BIGINT, next INTEGER, finished_at BIGINT, reason TEXT,
    new_version TEXT, texts TEXT[]
) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
DECLARE
    place runs%ROWTYPE;
    behind BOOLEAN;
BEGIN
    SELECT r.* INTO place FROM runs r WHERE r.id = run_id;
    IF NOT FOUND THEN
        RETURN FALSE;
    END IF;
    PERFORM hob_hold_vN(ARRAY[hob_lane_vN(place.recipe, place.lane)]);
    SELECT r.* INTO place FROM runs r WHERE r.id = run_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN FALSE;
    END IF;
    IF place.write = stamp THEN
        RETURN TRUE;
    END IF;
    IF place.entries <> seen OR place.state = {running} THEN
        RETURN FALSE;
    END IF;
    INSERT INTO entries (run, place, entry)
        SELECT place.seq, seen + e.place - 1, e.entry
        FROM unnest(texts) WITH ORDINALITY AS e (entry, place);
    IF finished_at IS NOT NULL THEN
        UPDATE runs SET state = next, due = NULL, error = reason, finished = coalesce(finished, finished_at),
                entries = seen + cardinality(texts), write = stamp
            WHERE seq = place.seq;
        -- The head of a lane is due, or holds it: parked, or failed.
        IF place.finished IS NULL AND (place.due IS NOT NULL OR place.state IN ({failed}, {parked})) THEN
            PERFORM hob_advance_vN(ARRAY[place.recipe], ARRAY[place.lane]);
        END IF;
    ELSE
        behind := place.finished IS NOT NULL AND EXISTS (
            SELECT 1 FROM runs o WHERE o.recipe = place.recipe AND o.lane = place.lane AND o.finished IS NULL);
        UPDATE runs SET state = next, due = CASE WHEN NOT behind THEN {at_once} END, finished = NULL, error = reason,
                version = coalesce(new_version, version), entries = seen + cardinality(texts), write = stamp
            WHERE seq = place.seq;
    END IF;
    PERFORM hob_count_vN(ARRAY[place.state, next], ARRAY[-1, 1]::BIGINT[]);
    RETURN TRUE;
END
$$;
