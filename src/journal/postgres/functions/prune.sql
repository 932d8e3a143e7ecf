-- Deletes up to `most` each of finished runs, of events without a run, and of dedup keys. `ended` are the
-- states of ended runs; `finished` decides, because a failed run may still hold its lane.
CREATE FUNCTION hob_prune_vN(
    ended INTEGER[], before BIGINT, most_runs BIGINT, dedup_before BIGINT, most BIGINT,
    OUT runs BIGINT, OUT events BIGINT, OUT dedup_keys BIGINT
)
LANGUAGE plpgsql AS $$
DECLARE
    old BIGINT[] := '{}';
    excess BIGINT;
    orphans BIGINT[] := '{}';
    loose BIGINT[] := '{}';
    states INTEGER[];
BEGIN
    IF before IS NOT NULL THEN
        old := ARRAY(
            SELECT o.seq FROM unnest(ended) AS s (state), LATERAL (
                SELECT r.seq, r.created FROM runs r
                WHERE r.state = s.state AND r.created < before AND r.finished < before
                ORDER BY r.created, r.seq LIMIT most FOR UPDATE SKIP LOCKED) o
            ORDER BY o.created, o.seq LIMIT most);
    END IF;
    IF most_runs IS NOT NULL AND cardinality(old) = 0 THEN
        SELECT least(coalesce(sum(c.value), 0) - most_runs, most) INTO excess
            FROM counters c WHERE c.what = ANY (ended);
        IF excess > 0 THEN
            old := ARRAY(
                SELECT o.seq FROM unnest(ended) AS s (state), LATERAL (
                    SELECT r.seq, r.created FROM runs r WHERE r.state = s.state AND r.finished IS NOT NULL
                    ORDER BY r.created, r.seq LIMIT excess FOR UPDATE SKIP LOCKED) o
                ORDER BY o.created, o.seq LIMIT excess);
        END IF;
    END IF;
    DELETE FROM entries e WHERE e.run = ANY (old);
    -- Writes that contain their origin are kept; no run has the number 0.
    DELETE FROM writes w WHERE w.run = ANY (old) AND NOT starts_with(w.fields, '{"$origin"');
    UPDATE writes w SET run = 0 WHERE w.run = ANY (old);
    WITH gone AS (
        DELETE FROM runs r WHERE r.seq = ANY (old) RETURNING r.event, r.state
    )
    SELECT count(*), coalesce(array_agg(DISTINCT g.event), '{}'), coalesce(array_agg(g.state), '{}')
        INTO runs, orphans, states FROM gone g;
    PERFORM hob_count_vN(states, array_fill(-1::bigint, ARRAY[cardinality(states)]));
    -- Only once no old run is left: until then the scan would find the events of old runs again and again.
    IF before IS NOT NULL AND cardinality(old) = 0 THEN
        loose := ARRAY(
            SELECT e.seq FROM events e
            WHERE e.received < before AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event = e.seq)
            ORDER BY e.received LIMIT most FOR UPDATE OF e SKIP LOCKED);
    END IF;
    WITH forgotten AS (
        DELETE FROM events e WHERE e.seq = ANY (orphans || loose)
            AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event = e.seq)
        RETURNING e.seq
    ), unlisted AS (
        DELETE FROM identifiers i USING forgotten f WHERE i.event = f.seq
    )
    SELECT count(*) INTO events FROM forgotten;
    PERFORM hob_count_vN(ARRAY[-1], ARRAY[-events]);
    dedup_keys := 0;
    IF dedup_before IS NOT NULL THEN
        DELETE FROM receipts k WHERE k.key = ANY (ARRAY(
            SELECT o.key FROM receipts o WHERE o.received < dedup_before ORDER BY o.received LIMIT most));
        GET DIAGNOSTICS dedup_keys = ROW_COUNT;
        DELETE FROM writes w WHERE w.seq = ANY (ARRAY(
            SELECT o.seq FROM (SELECT f.seq, f.at FROM writes f WHERE f.run = 0 ORDER BY f.seq LIMIT most) o
            WHERE o.at < dedup_before));
    END IF;
END
$$;
