-- Stores events, their runs and a poller's progress. The dedup keys differ from one another.
-- With `again`, an event that is there under its own id was stored by an earlier attempt of the same
-- call. Answers which events are stored, and whether there is work.
CREATE FUNCTION hob_append_vN(
    again BOOLEAN,
    ids TEXT[], sources TEXT[], kinds TEXT[], connections TEXT[], records TEXT[], dedups TEXT[],
    keys BYTEA[], receiveds BIGINT[], payloads TEXT[],
    -- Of each run: the place of its event, from 1.
    run_events INTEGER[], run_ids TEXT[], run_recipes TEXT[], run_lanes TEXT[], run_accounts TEXT[],
    run_records TEXT[], run_priorities INTEGER[],
    -- Of each run that waits for later events about its record: until when, and what becomes of an earlier one.
    run_windows BIGINT[], run_entries TEXT[], run_reasons TEXT[],
    -- Null where there is no progress.
    claim_name TEXT, claim_epoch BIGINT,
    cursor_key TEXT, cursor_text TEXT, cursor_scan BIGINT, cursor_reset BOOLEAN,
    seen_records TEXT[], seen_prints TEXT[], forgotten TEXT[],
    -- Whether the cursor stays as it is, and has to be at the scan and page of `cursor_text`.
    cursor_beside BOOLEAN,
    OUT stored BOOLEAN[], OUT work BOOLEAN
)
LANGUAGE plpgsql AS $$
DECLARE
    -- Of each event: its seq, or 0 for one that is known.
    seqs BIGINT[] := '{}';
    made BIGINT := 0;
    added_runs BIGINT;
    poller BIGINT;
    later RECORD;
    earlier RECORD;
    coalesced BIGINT := 0;
BEGIN
    work := FALSE;
    IF claim_name IS NOT NULL THEN
        PERFORM 1 FROM claims c WHERE c.name = claim_name AND c.epoch = claim_epoch FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'HB001', MESSAGE = claim_name;
        END IF;
    END IF;

    IF cardinality(ids) > 0 THEN
        -- In order, so that writers cannot deadlock.
        INSERT INTO receipts (key, received)
            SELECT k.key, k.received FROM unnest(keys, receiveds) AS k (key, received) ORDER BY k.key
            ON CONFLICT DO NOTHING;
        -- What this transaction has inserted bears its number.
        seqs := ARRAY(
            SELECT CASE WHEN (SELECT r.xmin = pg_current_xact_id()::xid FROM receipts r WHERE r.key = k.key)
                        THEN nextval('events_seq_seq') ELSE 0 END
            FROM unnest(keys) WITH ORDINALITY AS k (key, place) ORDER BY k.place);
        INSERT INTO events (seq, id, source, kind, connection, record, dedup, received, payload)
            SELECT seqs[e.place], e.id, e.source, e.kind, e.connection, e.record, e.dedup, e.received, e.payload
            FROM unnest(ids, sources, kinds, connections, records, dedups, receiveds, payloads)
                WITH ORDINALITY AS e (id, source, kind, connection, record, dedup, received, payload, place)
            WHERE seqs[e.place] > 0;
        GET DIAGNOSTICS made = ROW_COUNT;
    END IF;

    IF made > 0 AND cardinality(run_ids) > 0 THEN
        PERFORM hob_hold_vN(ARRAY(
            SELECT DISTINCT hob_lane_vN(r.recipe, r.lane)
            FROM unnest(run_events, run_recipes, run_lanes) AS r (event, recipe, lane)
            WHERE seqs[r.event] > 0 ORDER BY 1));
    END IF;
    IF made > 0 THEN
        -- A run behind an unfinished one of its lane is not due before that one ends. (No EXISTS: planned
        -- while the table is small, it would read all unfinished runs at once, and go on doing so.)
        WITH added AS (
            INSERT INTO runs (id, event, recipe, lane, accounts, record, state, created, due, priority,
                coalesce_until)
            SELECT r.id, seqs[r.event], r.recipe, r.lane, r.accounts, r.record, {waiting}, receiveds[r.event],
                CASE WHEN row_number() OVER (PARTITION BY r.recipe, r.lane ORDER BY r.place) = 1
                          AND (SELECT 1 FROM runs o WHERE o.recipe = r.recipe AND o.lane = r.lane
                               AND o.finished IS NULL LIMIT 1) IS NULL
                     THEN coalesce(r.until, {at_once}) END,
                r.priority, r.until
            FROM unnest(run_events, run_ids, run_recipes, run_lanes, run_accounts, run_records,
                    run_priorities, run_windows)
                WITH ORDINALITY AS r (event, id, recipe, lane, accounts, record, priority, until, place)
            WHERE seqs[r.event] > 0
            ORDER BY r.place
            RETURNING due
        )
        SELECT count(*), count(a.due) > 0 INTO added_runs, work FROM added a;
        -- A run about the same record that waits for this one and has not begun is left to it. The window is as long
        -- as from the first event, however many follow.
        FOR later IN
            SELECT n.seq, n.recipe, n.lane, n.record, n.accounts, n.created, r.entry, r.reason
            FROM unnest(run_ids, run_windows, run_entries, run_reasons) WITH ORDINALITY
                AS r (id, until, entry, reason, place)
            JOIN runs n ON n.id = r.id
            WHERE r.until IS NOT NULL
            ORDER BY r.place
        LOOP
            SELECT o.seq, o.coalesce_until AS until, o.due INTO earlier FROM runs o
                WHERE o.recipe = later.recipe AND o.lane = later.lane AND o.finished IS NULL AND o.seq < later.seq
                AND o.state = {waiting} AND o.entries = 0 AND o.record = later.record AND o.accounts = later.accounts
                AND o.coalesce_until > later.created
                ORDER BY o.seq DESC LIMIT 1 FOR UPDATE;
            CONTINUE WHEN NOT FOUND;
            INSERT INTO entries (run, place, entry) VALUES (earlier.seq, 0, later.entry);
            UPDATE runs SET state = {filtered}, finished = later.created, error = later.reason, due = NULL, entries = 1
                WHERE seq = earlier.seq;
            UPDATE runs SET coalesce_until = earlier.until WHERE seq = later.seq;
            IF earlier.due IS NOT NULL THEN
                PERFORM hob_advance_vN(ARRAY[later.recipe], ARRAY[later.lane]);
                work := TRUE;
            END IF;
            coalesced := coalesced + 1;
        END LOOP;
        PERFORM hob_count_vN(ARRAY[-1, {waiting}, {filtered}], ARRAY[made, added_runs - coalesced, coalesced]);
    END IF;

    IF cursor_key IS NOT NULL THEN
        IF cursor_beside THEN
            SELECT c.seq INTO poller FROM cursors c WHERE c.key = cursor_key
                AND c.cursor::jsonb -> 'scan' = cursor_text::jsonb -> 'scan'
                AND c.cursor::jsonb -> 'page' = cursor_text::jsonb -> 'page' FOR UPDATE;
            IF NOT FOUND THEN
                RAISE EXCEPTION USING ERRCODE = 'HB001', MESSAGE = 'cursor:' || cursor_key;
            END IF;
        ELSE
            INSERT INTO cursors AS c (key, cursor) VALUES (cursor_key, cursor_text)
                ON CONFLICT (key) DO UPDATE SET cursor = excluded.cursor RETURNING c.seq INTO poller;
        END IF;
        IF cursor_reset THEN
            DELETE FROM seen s WHERE s.cursor = poller;
        END IF;
        DELETE FROM seen s WHERE s.cursor = poller AND s.record = ANY (forgotten);
        INSERT INTO seen (cursor, record, fingerprint, scan)
            SELECT poller, s.record, s.print, cursor_scan
            FROM unnest(seen_records, seen_prints) AS s (record, print)
            ON CONFLICT (cursor, record) DO UPDATE SET fingerprint = excluded.fingerprint, scan = excluded.scan;
    END IF;

    stored := ARRAY(
        SELECT n.seq > 0 OR (again AND (SELECT 1 FROM events e WHERE e.id = ids[n.place]) IS NOT NULL)
        FROM unnest(seqs) WITH ORDINALITY AS n (seq, place) ORDER BY n.place);
END
$$;
