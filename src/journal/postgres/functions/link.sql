-- Saves a link, in the place of any that shares its name and an end.
CREATE FUNCTION hob_link_vN(link_name TEXT, link_from TEXT, link_to TEXT) RETURNS VOID
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
