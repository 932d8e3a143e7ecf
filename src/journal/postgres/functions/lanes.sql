-- What keeps lanes in order though several processes write: whoever adds to lanes or ends their heads
-- holds them until it commits. Whoever needs rows as well takes the lanes first; that, and one order
-- for all, is why writers cannot deadlock.

-- The number of a lane's lock, another one in each store. Every version that works on the store takes the same.
CREATE FUNCTION hob_lane_vN(recipe TEXT, lane TEXT) RETURNS BIGINT
LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(lane, hashtextextended(recipe, 'runs'::regclass::oid::bigint))
$$;

-- Takes the lanes of these numbers, which are in order. The server's table of locks is small; so one
-- lock stands for all lanes where many are asked for, and everybody else shares that one.
CREATE FUNCTION hob_hold_vN(lanes BIGINT[]) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(lanes) > 128 THEN
        PERFORM pg_advisory_xact_lock('runs'::regclass::oid::integer, 0);
    ELSIF cardinality(lanes) > 0 THEN
        PERFORM pg_advisory_xact_lock_shared('runs'::regclass::oid::integer, 0);
        PERFORM pg_advisory_xact_lock(l.lane) FROM unnest(lanes) AS l (lane);
    END IF;
END
$$;

-- Makes the first unfinished run of each lane due. The lanes are held.
CREATE FUNCTION hob_advance_vN(recipes TEXT[], lanes TEXT[]) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE runs SET due = coalesce(runs.coalesce_until, {at_once}) WHERE runs.seq = ANY (ARRAY(
        SELECT (SELECT r.seq FROM runs r
                WHERE r.recipe = f.recipe AND r.lane = f.lane AND r.finished IS NULL ORDER BY r.seq LIMIT 1)
        FROM unnest(recipes, lanes) AS f (recipe, lane)));
END
$$;

-- Adds to the counters.
CREATE FUNCTION hob_count_vN(whats INTEGER[], changes BIGINT[]) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counters AS c (shard, what, value)
        SELECT pg_backend_pid() % 64, n.what, sum(n.change)
        FROM unnest(whats, changes) AS n (what, change)
        GROUP BY n.what HAVING sum(n.change) <> 0 ORDER BY n.what
        ON CONFLICT (shard, what) DO UPDATE SET value = c.value + excluded.value;
END
$$;
