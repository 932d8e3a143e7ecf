-- Handing out runs and taking back what became of them. The first unfinished run of a lane is its
-- head; only heads are ever due, and the end of one makes the next one due in the same transaction.
-- States: 0 waits, 1 is worked on, 3 has failed, 6 is parked.

-- Leases up to `most` due runs. Half of them may be such that waited for a time, so that neither many
-- retries nor many new runs keep the others waiting. With `doubt`, an earlier call with this ticket may
-- have been granted runs without learning of it: they come first.
CREATE FUNCTION hob_lease(holder TEXT, most INTEGER, moment BIGINT, ends BIGINT, ticket BIGINT, doubt BOOLEAN)
RETURNS TABLE (
    run_id TEXT, run_recipe TEXT, run_version TEXT, run_accounts TEXT, run_lane TEXT, run_created BIGINT,
    run_epoch BIGINT,
    event_id TEXT, event_source TEXT, event_kind TEXT, event_connection TEXT, event_record TEXT,
    event_dedup TEXT, event_received BIGINT, event_payload TEXT,
    run_entries TEXT[]
)
LANGUAGE plpgsql AS $$
DECLARE
    kept BIGINT[] := '{}';
    woken BIGINT[];
    fresh BIGINT[];
    granted BIGINT[];
BEGIN
    IF doubt THEN
        kept := ARRAY(
            SELECT r.seq FROM runs r WHERE r.owner IS NOT NULL AND r.owner = holder AND r.write = ticket
            ORDER BY r.seq FOR UPDATE);
        UPDATE runs SET until = ends WHERE seq = ANY (kept);
        most := greatest(most - cardinality(kept), 0);
    END IF;
    woken := ARRAY(
        SELECT r.seq FROM runs r WHERE r.due >= 2 AND r.due <= moment
        ORDER BY r.due, r.seq LIMIT (most + 1) / 2 FOR UPDATE SKIP LOCKED);
    fresh := ARRAY(
        SELECT r.seq FROM runs r WHERE r.due < 2
        ORDER BY r.due, r.seq LIMIT most - cardinality(woken) FOR UPDATE SKIP LOCKED);
    granted := woken || fresh;
    IF cardinality(granted) < most AND cardinality(woken) > 0 THEN
        granted := granted || ARRAY(
            SELECT r.seq FROM runs r WHERE r.due >= 2 AND r.due <= moment AND r.seq <> ALL (woken)
            ORDER BY r.due, r.seq LIMIT most - cardinality(granted) FOR UPDATE SKIP LOCKED);
    END IF;
    IF cardinality(granted) > 0 THEN
        UPDATE runs SET state = 1, due = NULL, owner = holder, until = ends, epoch = epoch + 1, write = ticket
            WHERE seq = ANY (granted);
        PERFORM hob_count(ARRAY[0, 1], ARRAY[-cardinality(granted), cardinality(granted)]::BIGINT[]);
    END IF;
    RETURN QUERY
        SELECT r.id, r.recipe, r.version, r.accounts, r.lane, r.created, r.epoch,
            e.id, e.source, e.kind, e.connection, e.record, e.dedup, e.received, e.payload,
            ARRAY(SELECT n.entry FROM entries n WHERE n.run = r.seq ORDER BY n.place)
        FROM unnest(kept || granted) WITH ORDINALITY AS g (seq, place)
        JOIN runs r ON r.seq = g.seq
        LEFT JOIN events e ON e.seq = r.event
        ORDER BY g.place;
END
$$;

-- Appends to the histories of leased runs and says where they stand. Each job is about another run,
-- in the order of ids. `ends` is null for a run that keeps its lane. Answers which jobs are done; the
-- others have lost their lease. A job whose number is the last that wrote its run was done before.
CREATE FUNCTION hob_record(
    run_ids TEXT[], epochs BIGINT[], writes BIGINT[], states INTEGER[], dues BIGINT[], errors TEXT[],
    versions TEXT[], ends BIGINT[], sizes INTEGER[],
    -- Of each entry: the place of its job, from 1, and its own place in it, from 0.
    entry_jobs INTEGER[], entry_places INTEGER[], entry_texts TEXT[],
    -- Of each write to a record: the place of its job, from 1.
    write_jobs INTEGER[], write_records TEXT[], write_connections TEXT[], write_operations TEXT[],
    write_fields TEXT[], write_times BIGINT[],
    OUT done BOOLEAN[], OUT work BOOLEAN
)
LANGUAGE plpgsql AS $$
DECLARE
    -- Of each job: the run's seq and number of entries; 0 where nothing is to be done.
    seqs BIGINT[];
    befores BIGINT[];
    freed_recipes TEXT[];
    freed_lanes TEXT[];
BEGIN
    IF num_nonnulls(VARIADIC ends) > 0 THEN
        PERFORM hob_hold(ARRAY(
            SELECT DISTINCT hob_lane(r.recipe, r.lane)
            FROM unnest(run_ids, ends) AS j (id, finished) JOIN runs r ON r.id = j.id
            WHERE j.finished IS NOT NULL ORDER BY 1));
    END IF;
    SELECT array_agg(CASE WHEN h.known THEN 0 ELSE coalesce(h.seq, 0) END ORDER BY j.place),
           array_agg(coalesce(h.entries, 0)::bigint ORDER BY j.place),
           array_agg(h.seq IS NOT NULL ORDER BY j.place)
        INTO seqs, befores, done
        FROM unnest(run_ids, epochs, writes) WITH ORDINALITY AS j (id, epoch, write, place)
        LEFT JOIN LATERAL (
            SELECT r.seq, r.entries, r.write IS NOT DISTINCT FROM j.write AS known FROM runs r
            WHERE r.id = j.id AND r.epoch = j.epoch AND (r.state = 1 OR r.write = j.write)
            FOR UPDATE
        ) h ON TRUE;
    INSERT INTO entries (run, place, entry)
        SELECT seqs[e.job], befores[e.job] + e.place, e.entry
        FROM unnest(entry_jobs, entry_places, entry_texts) AS e (job, place, entry)
        WHERE seqs[e.job] > 0;
    IF cardinality(write_jobs) > 0 THEN
        INSERT INTO writes (run, record, connection, operation, fields, at)
            SELECT seqs[w.job], w.record, w.connection, w.operation, w.fields, w.at
            FROM unnest(write_jobs, write_records, write_connections, write_operations, write_fields, write_times)
                WITH ORDINALITY AS w (job, record, connection, operation, fields, at, place)
            WHERE seqs[w.job] > 0 ORDER BY w.place;
    END IF;
    UPDATE runs r SET
            state = j.state, due = CASE j.due WHEN 0 THEN r.priority ELSE j.due END, error = j.error, version = coalesce(j.version, r.version),
            finished = j.finished, entries = r.entries + j.size, write = j.write,
            owner = CASE WHEN j.state = 1 THEN r.owner END, until = CASE WHEN j.state = 1 THEN r.until END
        FROM unnest(seqs, states, dues, errors, versions, ends, sizes, writes)
            AS j (seq, state, due, error, version, finished, size, write)
        WHERE r.seq = j.seq AND j.seq > 0;
    SELECT array_agg(r.recipe), array_agg(r.lane) INTO freed_recipes, freed_lanes
        FROM unnest(seqs, ends) AS j (seq, finished) JOIN runs r ON r.seq = j.seq
        WHERE j.seq > 0 AND j.finished IS NOT NULL;
    IF freed_recipes IS NOT NULL THEN
        PERFORM hob_advance(freed_recipes, freed_lanes);
    END IF;
    SELECT count(*) > 0 INTO work FROM unnest(seqs, states) AS j (seq, state) WHERE j.seq > 0 AND j.state <> 1;
    IF work THEN
        PERFORM hob_count(array_agg(n.what), array_agg(n.change)) FROM (
            SELECT unnest(ARRAY[1, j.state]) AS what, unnest(ARRAY[-1, 1]::BIGINT[]) AS change
            FROM unnest(seqs, states) AS j (seq, state) WHERE j.seq > 0) n;
    END IF;
END
$$;

-- Appends what a person decided about a run that has `seen` entries and is not leased; whether it was
-- so. A finished run that is to go on goes behind what is under way in its lane.
CREATE FUNCTION hob_amend(
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
    PERFORM hob_hold(ARRAY[hob_lane(place.recipe, place.lane)]);
    SELECT r.* INTO place FROM runs r WHERE r.id = run_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN FALSE;
    END IF;
    IF place.write = stamp THEN
        RETURN TRUE;
    END IF;
    IF place.entries <> seen OR place.state = 1 THEN
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
        IF place.finished IS NULL AND (place.due IS NOT NULL OR place.state IN (3, 6)) THEN
            PERFORM hob_advance(ARRAY[place.recipe], ARRAY[place.lane]);
        END IF;
    ELSE
        behind := place.finished IS NOT NULL AND EXISTS (
            SELECT 1 FROM runs o WHERE o.recipe = place.recipe AND o.lane = place.lane AND o.finished IS NULL);
        UPDATE runs SET state = next, due = CASE WHEN NOT behind THEN priority END, finished = NULL, error = reason,
                version = coalesce(new_version, version), entries = seen + cardinality(texts), write = stamp
            WHERE seq = place.seq;
    END IF;
    PERFORM hob_count(ARRAY[place.state, next], ARRAY[-1, 1]::BIGINT[]);
    RETURN TRUE;
END
$$;

-- Makes runs due whose lease has ended.
CREATE FUNCTION hob_reclaim(moment BIGINT) RETURNS BIGINT
LANGUAGE plpgsql AS $$
DECLARE
    ended BIGINT[];
BEGIN
    ended := ARRAY(
        SELECT r.seq FROM runs r WHERE r.owner IS NOT NULL AND r.until <= moment
        ORDER BY r.seq FOR UPDATE SKIP LOCKED);
    IF cardinality(ended) > 0 THEN
        UPDATE runs SET state = 0, due = priority, owner = NULL, until = NULL WHERE seq = ANY (ended);
        PERFORM hob_count(ARRAY[0, 1], ARRAY[cardinality(ended), -cardinality(ended)]::BIGINT[]);
    END IF;
    RETURN cardinality(ended);
END
$$;

-- Extends leases, which are in the order of their runs' ids; answers which are still held.
CREATE FUNCTION hob_renew(run_ids TEXT[], epochs BIGINT[], ends BIGINT) RETURNS BOOLEAN[]
LANGUAGE plpgsql AS $$
DECLARE
    seqs BIGINT[];
BEGIN
    SELECT array_agg(coalesce(h.seq, 0) ORDER BY j.place) INTO seqs
        FROM unnest(run_ids, epochs) WITH ORDINALITY AS j (id, epoch, place)
        LEFT JOIN LATERAL (
            SELECT r.seq FROM runs r WHERE r.id = j.id AND r.epoch = j.epoch AND r.state = 1 FOR NO KEY UPDATE
        ) h ON TRUE;
    UPDATE runs SET until = ends WHERE seq = ANY (seqs);
    RETURN ARRAY(SELECT s.seq > 0 FROM unnest(seqs) WITH ORDINALITY AS s (seq, place) ORDER BY s.place);
END
$$;
