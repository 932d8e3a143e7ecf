CREATE FUNCTION hob_now_vN() RETURNS BIGINT
LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

-- Replaces version `seen` (0: none) with `content`. If another version is stored, returns that one and changes
-- nothing.
CREATE FUNCTION hob_put_counters_vN(
    of_account TEXT, seen BIGINT, content TEXT,
    OUT done BOOLEAN, OUT version BIGINT, OUT state TEXT, OUT moment BIGINT
)
LANGUAGE plpgsql AS $$
BEGIN
    -- Not synced: losing it in a crash allows at most one request more.
    PERFORM set_config('synchronous_commit', 'off', TRUE);
    done := TRUE;
    state := '';
    version := seen + 1;
    IF seen = 0 THEN
        INSERT INTO request_counters (account, version, state) VALUES (of_account, 1, content) ON CONFLICT DO NOTHING;
    ELSE
        UPDATE request_counters c SET version = seen + 1, state = content WHERE c.account = of_account AND c.version = seen;
    END IF;
    IF NOT FOUND THEN
        done := FALSE;
        SELECT c.version, c.state INTO version, state FROM request_counters c WHERE c.account = of_account;
        version := coalesce(version, 0);
        state := coalesce(state, '');
    END IF;
    moment := hob_now_vN();
END
$$;
