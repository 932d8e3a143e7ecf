-- Handing out runs and keeping leases alive. The first unfinished run of a lane is its head; only heads are ever
-- due, and the end of one makes the next one due in the same transaction.

-- Leases up to `room` due runs of a priority. What shares a recipe, its accounts and `due` (whether it has waited for a
-- time) takes a turn; each run is found by one search of an index, however many wait. Answers whose turn it was last, and
-- the runs with their `due`, in order.
CREATE FUNCTION hob_choose_vN(
    class INTEGER, room INTEGER, holder TEXT, ends BIGINT, ticket BIGINT,
    INOUT turn_recipe TEXT, INOUT turn_accounts TEXT, INOUT turn_due BIGINT,
    OUT seqs BIGINT[], OUT dues BIGINT[]
)
LANGUAGE plpgsql AS $$
DECLARE
    begun_recipe TEXT := turn_recipe;
    begun_accounts TEXT := turn_accounts;
    begun_due BIGINT := turn_due;
    wrapped BOOLEAN := FALSE;
    -- Of each turn; the run that it had last is null once it has no other.
    their_recipes TEXT[] := '{}';
    their_accounts TEXT[] := '{}';
    lasts BIGINT[] := '{}';
    place INTEGER := 0;
    misses INTEGER := 0;
    head RECORD;
BEGIN
    seqs := '{}';
    dues := '{}';
    -- Once round all turns: from the one after the last to the end, and from the beginning to the last.
    WHILE cardinality(seqs) < room LOOP
        SELECT r.seq, r.recipe, r.accounts, r.due INTO head FROM runs r
            WHERE r.due <= {woken} AND r.priority = class
            AND (r.recipe, r.accounts, r.due) > (turn_recipe, turn_accounts, turn_due)
            ORDER BY r.recipe, r.accounts, r.due, r.seq LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF NOT FOUND OR wrapped AND (head.recipe COLLATE "C", head.accounts, head.due)
                > (begun_recipe COLLATE "C", begun_accounts, begun_due) THEN
            EXIT WHEN wrapped;
            wrapped := TRUE;
            turn_recipe := '';
            turn_accounts := '';
            turn_due := -1;
            CONTINUE;
        END IF;
        turn_recipe := head.recipe;
        turn_accounts := head.accounts;
        turn_due := head.due;
        seqs := seqs || head.seq;
        dues := dues || head.due;
        their_recipes := their_recipes || head.recipe;
        their_accounts := their_accounts || head.accounts;
        lasts := lasts || head.seq;
    END LOOP;
    -- And round again, with the next run of each.
    WHILE cardinality(seqs) < room AND misses < cardinality(lasts) LOOP
        place := place % cardinality(lasts) + 1;
        misses := misses + 1;
        CONTINUE WHEN lasts[place] IS NULL;
        SELECT r.seq INTO head FROM runs r
            WHERE r.due <= {woken} AND r.priority = class
            AND r.recipe = their_recipes[place] AND r.accounts = their_accounts[place] AND r.due = dues[place]
            AND r.seq > lasts[place]
            ORDER BY r.seq LIMIT 1 FOR UPDATE SKIP LOCKED;
        lasts[place] := head.seq;
        CONTINUE WHEN NOT FOUND;
        misses := 0;
        turn_recipe := their_recipes[place];
        turn_accounts := their_accounts[place];
        turn_due := dues[place];
        seqs := seqs || head.seq;
        dues := dues || turn_due;
    END LOOP;
    UPDATE runs SET state = {running}, due = NULL, owner = holder, until = ends, epoch = epoch + 1, write = ticket
        WHERE seq = ANY (seqs);
END
$$;

-- Leases as many due runs as there are slots, more urgent priorities first. With `doubt`, an earlier call with this
-- ticket may have been granted runs without learning of it: they come first.
CREATE FUNCTION hob_lease_vN(
    holder TEXT,
    -- Of each priority from 0: how many runs of it and of the higher numbers.
    free INTEGER[],
    -- A priority of which one run goes before those of the others, or null.
    ahead INTEGER,
    -- Of each priority: whose turn it was last.
    turn_recipes TEXT[], turn_accounts TEXT[], turn_dues BIGINT[],
    moment BIGINT, ends BIGINT, ticket BIGINT, doubt BOOLEAN
)
RETURNS TABLE (
    run_id TEXT, run_recipe TEXT, run_version TEXT, run_accounts TEXT, run_lane TEXT, run_created BIGINT,
    run_epoch BIGINT,
    event_id TEXT, event_source TEXT, event_kind TEXT, event_connection TEXT, event_record TEXT,
    event_dedup TEXT, event_received BIGINT, event_payload TEXT,
    run_entries TEXT[],
    -- `run_turn` is the `due` before the lease; null if an earlier call was granted the run.
    run_priority INTEGER, run_turn BIGINT
)
LANGUAGE plpgsql AS $$
DECLARE
    kept BIGINT[] := '{}';
    granted BIGINT[] := '{}';
    granted_dues BIGINT[] := '{}';
    class INTEGER;
    room INTEGER;
    chosen RECORD;
BEGIN
    IF doubt THEN
        kept := ARRAY(
            SELECT r.seq FROM runs r WHERE r.owner IS NOT NULL AND r.owner = holder AND r.write = ticket
            ORDER BY r.seq FOR UPDATE);
        UPDATE runs SET until = ends WHERE seq = ANY (kept);
        FOR class IN SELECT r.priority FROM runs r WHERE r.seq = ANY (kept) LOOP
            free := hob_take_vN(free, class, 1);
        END LOOP;
    END IF;
    -- Runs whose wait is over take turns from now on.
    UPDATE runs SET due = {woken} WHERE seq = ANY (ARRAY(
        SELECT r.seq FROM runs r WHERE r.due > {at_once} AND r.due > {woken} AND r.due <= moment
        ORDER BY r.due, r.seq LIMIT {max_woken} FOR UPDATE SKIP LOCKED));
    -- Step 0 is the one run that goes ahead.
    FOR step IN CASE WHEN ahead IS NULL THEN 1 ELSE 0 END .. cardinality(free) LOOP
        class := CASE step WHEN 0 THEN ahead ELSE step - 1 END;
        room := least((SELECT min(f.n) FROM unnest(free[1:class + 1]) AS f (n)), CASE step WHEN 0 THEN 1 END);
        CONTINUE WHEN room <= 0;
        SELECT * INTO chosen FROM hob_choose_vN(class, room, holder, ends, ticket,
            turn_recipes[class + 1], turn_accounts[class + 1], turn_dues[class + 1]);
        turn_recipes[class + 1] := chosen.turn_recipe;
        turn_accounts[class + 1] := chosen.turn_accounts;
        turn_dues[class + 1] := chosen.turn_due;
        granted := granted || chosen.seqs;
        granted_dues := granted_dues || chosen.dues;
        free := hob_take_vN(free, class, cardinality(chosen.seqs));
    END LOOP;
    IF cardinality(granted) > 0 THEN
        PERFORM hob_count_vN(ARRAY[{waiting}, {running}], ARRAY[-cardinality(granted), cardinality(granted)]::BIGINT[]);
    END IF;
    RETURN QUERY
        SELECT r.id, r.recipe, r.version, r.accounts, r.lane, r.created, r.epoch,
            e.id, e.source, e.kind, e.connection, e.record, e.dedup, e.received, e.payload,
            ARRAY(SELECT n.entry FROM entries n WHERE n.run = r.seq ORDER BY n.place),
            r.priority, granted_dues[g.place - cardinality(kept)]
        FROM unnest(kept || granted) WITH ORDINALITY AS g (seq, place)
        JOIN runs r ON r.seq = g.seq
        LEFT JOIN events e ON e.seq = r.event
        ORDER BY g.place;
END
$$;

-- The free slots without those of `count` runs of a priority, which count among those of the more urgent ones, too.
CREATE FUNCTION hob_take_vN(free INTEGER[], class INTEGER, count INTEGER) RETURNS INTEGER[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(f.n - count * (f.place <= class + 1)::integer ORDER BY f.place)
    FROM unnest(free) WITH ORDINALITY AS f (n, place)
$$;

-- Makes runs due whose lease has ended.
CREATE FUNCTION hob_reclaim_vN(moment BIGINT) RETURNS BIGINT
LANGUAGE plpgsql AS $$
DECLARE
    ended BIGINT[];
BEGIN
    ended := ARRAY(
        SELECT r.seq FROM runs r WHERE r.owner IS NOT NULL AND r.until <= moment
        ORDER BY r.seq FOR UPDATE SKIP LOCKED);
    IF cardinality(ended) > 0 THEN
        UPDATE runs SET state = {waiting}, due = {at_once}, owner = NULL, until = NULL WHERE seq = ANY (ended);
        PERFORM hob_count_vN(ARRAY[{waiting}, {running}], ARRAY[cardinality(ended), -cardinality(ended)]::BIGINT[]);
    END IF;
    RETURN cardinality(ended);
END
$$;

-- Extends leases, which are in the order of their runs' ids; answers which are still held.
CREATE FUNCTION hob_renew_vN(run_ids TEXT[], epochs BIGINT[], ends BIGINT) RETURNS BOOLEAN[]
LANGUAGE plpgsql AS $$
DECLARE
    seqs BIGINT[];
BEGIN
    SELECT array_agg(coalesce(h.seq, 0) ORDER BY j.place) INTO seqs
        FROM unnest(run_ids, epochs) WITH ORDINALITY AS j (id, epoch, place)
        LEFT JOIN LATERAL (
            SELECT r.seq FROM runs r WHERE r.id = j.id AND r.epoch = j.epoch AND r.state = {running} FOR NO KEY UPDATE
        ) h ON TRUE;
    UPDATE runs SET until = ends WHERE seq = ANY (seqs);
    RETURN ARRAY(SELECT s.seq > 0 FROM unnest(seqs) WITH ORDINALITY AS s (seq, place) ORDER BY s.place);
END
$$;
