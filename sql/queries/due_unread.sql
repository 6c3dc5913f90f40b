-- Contacts that were never read, in the order of their ids.
SELECT
    r.contact_id,
    0 AS rank,
    timestamptz '0001-01-01 00:00:00+00' AS due
FROM ops.contact_registry AS r
WHERE
    r.contact_id > CAST(:after_id AS text)
    AND r.priority <= 0
    AND NOT ops.is_hinted(r.hinted_at, NULL, :hinted_since)
    AND NOT EXISTS (
        SELECT 1 FROM ops.watermarks AS w
        WHERE w.source = :source AND w.entity = :entity AND w.scope = r.contact_id
    )
ORDER BY r.contact_id
LIMIT :most
