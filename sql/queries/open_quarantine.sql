-- The records with an open row, as long as there are not too many.
SELECT DISTINCT record_id
FROM ops.quarantine
WHERE
    source = :source
    AND entity = :entity
    AND record_id IS NOT NULL
    AND resolved_at IS NULL
LIMIT :most
