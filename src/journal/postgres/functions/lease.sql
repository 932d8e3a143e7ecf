-- Handing out runs and keeping leases alive. The first unfinished run of a lane is its head; only heads are ever
-- due, and the end of one makes the next one due in the same transaction.

-- Leases up to `most` due runs. Half of them may be such that waited for a time, so that neither many
-- retries nor many new runs keep the others waiting. With `doubt`, an earlier call with this ticket may
-- have been granted runs without learning of it: they come first.
CREATE FUNCTION hob_lease_vN(holder TEXT, most INTEGER, moment BIGINT, ends BIGINT, ticket BIGINT, doubt BOOLEAN)
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
        SELECT r.seq FROM runs r WHERE r.due > {at_once} AND r.due <= moment
        ORDER BY r.due, r.seq LIMIT (most + 1) / 2 FOR UPDATE SKIP LOCKED);
    fresh := ARRAY(
        SELECT r.seq FROM runs r WHERE r.due = {at_once}
        ORDER BY r.priority, r.seq LIMIT most - cardinality(woken) FOR UPDATE SKIP LOCKED);
    granted := woken || fresh;
    IF cardinality(granted) < most AND cardinality(woken) > 0 THEN
        granted := granted || ARRAY(
            SELECT r.seq FROM runs r WHERE r.due > {at_once} AND r.due <= moment AND r.seq <> ALL (woken)
            ORDER BY r.due, r.seq LIMIT most - cardinality(granted) FOR UPDATE SKIP LOCKED);
    END IF;
    IF cardinality(granted) > 0 THEN
        UPDATE runs SET state = {running}, due = NULL, owner = holder, until = ends, epoch = epoch + 1, write = ticket
            WHERE seq = ANY (granted);
        PERFORM hob_count_vN(ARRAY[{waiting}, {running}], ARRAY[-cardinality(granted), cardinality(granted)]::BIGINT[]);
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
