-- What the API did not know of contacts that the list of ids names is due again: to be named says
-- that they are there. Locked in one order everywhere.
WITH waiting AS (
    SELECT
        w.source,
        w.entity,
        w.scope
    FROM ops.contact_registry AS r
    INNER JOIN ops.watermarks AS w
        ON w.source = :source AND w.entity = ANY(CAST(:entities AS text [])) AND w.scope = r.contact_id
    WHERE
        r.access = 'missing'
        AND r.last_seen_at >= :listed_at
        AND w.reason IS DISTINCT FROM :denied
        AND w.due_at > w.read_at
    ORDER BY w.source, w.entity, w.scope
    FOR UPDATE OF w
)

UPDATE ops.watermarks AS w
SET due_at = w.read_at, wanted_at = w.read_at
FROM waiting
WHERE w.source = waiting.source AND w.entity = waiting.entity AND w.scope = waiting.scope
