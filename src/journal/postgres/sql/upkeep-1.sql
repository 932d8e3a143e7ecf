-- Saves a link, in the place of any that shares its name and an end.
CREATE FUNCTION hob_link(link_name TEXT, link_from TEXT, link_to TEXT) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    -- Two that save for the same end take turns.
    PERFORM pg_advisory_xact_lock(l.number) FROM (
        SELECT DISTINCT hashtextextended(link_name || ' ' || e.record, 'links'::regclass::oid::bigint) AS number
        FROM unnest(ARRAY['f' || link_from, 't' || link_to]) AS e (record) ORDER BY 1) l;
    DELETE FROM links l WHERE l.name = link_name AND l.from_record = link_from;
    DELETE FROM links l WHERE l.name = link_name AND l.to_record = link_to;
    INSERT INTO links (name, from_record, to_record) VALUES (link_name, link_from, link_to);
END
$$;

-- Forgets up to `most` each of finished runs, of events without a run, and of dedup keys. `ended` are
-- the states of runs that have ended; whether one has is said by `finished` alone, for a failed one
-- may still hold its lane.
CREATE FUNCTION hob_prune(
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
    DELETE FROM writes w WHERE w.run = ANY (old);
    WITH gone AS (
        DELETE FROM runs r WHERE r.seq = ANY (old) RETURNING r.event, r.state
    )
    SELECT count(*), coalesce(array_agg(DISTINCT g.event), '{}'), coalesce(array_agg(g.state), '{}')
        INTO runs, orphans, states FROM gone g;
    PERFORM hob_count(states, array_fill(-1::bigint, ARRAY[cardinality(states)]));
    -- Not beside old runs: their events, found to be needed again and again, would stand in the way.
    IF before IS NOT NULL AND cardinality(old) = 0 THEN
        loose := ARRAY(
            SELECT e.seq FROM events e
            WHERE e.received < before AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event = e.seq)
            ORDER BY e.received LIMIT most FOR UPDATE OF e SKIP LOCKED);
    END IF;
    DELETE FROM events e WHERE e.seq = ANY (orphans || loose)
        AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event = e.seq);
    GET DIAGNOSTICS events = ROW_COUNT;
    PERFORM hob_count(ARRAY[-1], ARRAY[-events]);
    dedup_keys := 0;
    IF dedup_before IS NOT NULL THEN
        DELETE FROM receipts k WHERE k.key = ANY (ARRAY(
            SELECT o.key FROM receipts o WHERE o.received < dedup_before ORDER BY o.received LIMIT most));
        GET DIAGNOSTICS dedup_keys = ROW_COUNT;
    END IF;
END
$$;

-- Stores runs that another store exported, in order, with their histories; those that are there stay as
-- they are.
CREATE FUNCTION hob_import(
    ids TEXT[], event_ids TEXT[], recipes TEXT[], lanes TEXT[], accounts_texts TEXT[], records TEXT[],
    versions TEXT[], states INTEGER[], createds BIGINT[], finisheds BIGINT[], errors TEXT[], dues BIGINT[],
    sizes INTEGER[],
    entry_runs TEXT[], entry_places INTEGER[], entry_texts TEXT[]
) RETURNS VOID
LANGUAGE plpgsql AS $$
DECLARE
    lost TEXT;
    added_states INTEGER[];
BEGIN
    SELECT r.event || ' of ' || r.id INTO lost FROM unnest(ids, event_ids) AS r (id, event)
        WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = r.event) LIMIT 1;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'HB002', MESSAGE = 'the event ' || lost || ' is missing';
    END IF;
    PERFORM hob_hold(ARRAY(
        SELECT DISTINCT hob_lane(r.recipe, r.lane) FROM unnest(recipes, lanes) AS r (recipe, lane) ORDER BY 1));
    WITH added AS (
        INSERT INTO runs (id, event, recipe, lane, accounts, record, version, state, created, finished, error,
                due, priority, entries)
        SELECT r.id, e.seq, r.recipe, r.lane, r.accounts, r.record,
            r.version, r.state, r.created, r.finished, r.error,
            CASE r.due WHEN 0 THEN p.priority ELSE r.due END, p.priority, r.size
        FROM unnest(ids, event_ids, recipes, lanes, accounts_texts, records, versions, states, createds,
                finisheds, errors, dues, sizes)
            WITH ORDINALITY AS r (id, event, recipe, lane, accounts, record, version, state, created, finished,
                error, due, size, place)
        JOIN events e ON e.id = r.event,
        LATERAL (SELECT CASE WHEN e.source LIKE '{"poll":%' THEN 1 ELSE 0 END AS priority) p
        ORDER BY r.place
        ON CONFLICT (id) DO NOTHING
        RETURNING state
    )
    SELECT coalesce(array_agg(a.state), '{}') INTO added_states FROM added a;
    PERFORM hob_count(added_states, array_fill(1::bigint, ARRAY[cardinality(added_states)]));
    -- What this transaction has inserted bears its number.
    INSERT INTO entries (run, place, entry)
        SELECT r.seq, e.place, e.entry
        FROM unnest(entry_runs, entry_places, entry_texts) AS e (run, place, entry)
        JOIN runs r ON r.id = e.run
        WHERE r.xmin = pg_current_xact_id()::xid
        ON CONFLICT DO NOTHING;
END
$$;
