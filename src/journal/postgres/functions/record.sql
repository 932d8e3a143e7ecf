-- Appends to the histories of leased runs and says where they stand. Each job is about another run,
-- in the order of ids. `ends` is null for a run that keeps its lane. Answers which jobs are done; the
-- others have lost their lease. A job whose number is the last that wrote its run was done before.
CREATE FUNCTION hob_record_vN(
    run_ids TEXT[], epochs BIGINT[], writes BIGINT[], states INTEGER[], dues BIGINT[], errors TEXT[],
    versions TEXT[], ends BIGINT[], sizes INTEGER[],
    -- Of each entry: the place of its job, from 1, and its own place in it, from 0.
    entry_jobs INTEGER[], entry_places INTEGER[], entry_texts TEXT[],
    -- Of each write to a record: the place of its job, from 1.
    write_jobs INTEGER[], write_records TEXT[], write_connections TEXT[], write_operations TEXT[],
    write_fields TEXT[], write_times BIGINT[],
    -- Of each job: creates of which nothing is known yet; empty for none, null for the same as before.
    unsettleds TEXT[],
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
        PERFORM hob_hold_vN(ARRAY(
            SELECT DISTINCT hob_lane_vN(r.recipe, r.lane)
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
            WHERE r.id = j.id AND r.epoch = j.epoch AND (r.state = {running} OR r.write = j.write)
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
            state = j.state, due = j.due, error = j.error,
            version = coalesce(j.version, r.version),
            finished = j.finished, entries = r.entries + j.size, write = j.write,
            unsettled = nullif(coalesce(j.unsettled, r.unsettled), ''),
            owner = CASE WHEN j.state = {running} THEN r.owner END, until = CASE WHEN j.state = {running} THEN r.until END
        FROM unnest(seqs, states, dues, errors, versions, ends, sizes, writes, unsettleds)
            AS j (seq, state, due, error, version, finished, size, write, unsettled)
        WHERE r.seq = j.seq AND j.seq > 0;
    SELECT array_agg(r.recipe), array_agg(r.lane) INTO freed_recipes, freed_lanes
        FROM unnest(seqs, ends) AS j (seq, finished) JOIN runs r ON r.seq = j.seq
        WHERE j.seq > 0 AND j.finished IS NOT NULL;
    IF freed_recipes IS NOT NULL THEN
        PERFORM hob_advance_vN(freed_recipes, freed_lanes);
    END IF;
    SELECT count(*) > 0 INTO work FROM unnest(seqs, states) AS j (seq, state) WHERE j.seq > 0 AND j.state <> {running};
    IF work THEN
        PERFORM hob_count_vN(array_agg(n.what), array_agg(n.change)) FROM (
            SELECT unnest(ARRAY[{running}, j.state]) AS what, unnest(ARRAY[-1, 1]::BIGINT[]) AS change
            FROM unnest(seqs, states) AS j (seq, state) WHERE j.seq > 0) n;
    END IF;
END
$$;
