-- What the API did not know under these contacts is due again: now that they are deleted, it says
-- something. Locked in one order everywhere.
WITH waiting AS (
    SELECT
        w.source,
        w.entity,
        w.scope
    FROM ops.watermarks AS w
    WHERE
        w.source = :source
        AND w.entity = ANY(CAST(:entities AS text []))
        AND w.scope = ANY(CAST(:contact_ids AS text []))
        AND w.reason = :not_found
        AND w.due_at > w.read_at
    ORDER BY w.source, w.entity, w.scope
    FOR UPDATE OF w
)

UPDATE ops.watermarks AS w
SET due_at = w.read_at, wanted_at = w.read_at
FROM waiting
WHERE w.source = waiting.source AND w.entity = waiting.entity AND w.scope = waiting.scope
