-- A later reading of these records was sound.
UPDATE ops.quarantine
SET resolved_at = clock_timestamp(), resolution = 'loaded'
WHERE
    source = :source
    AND entity = :entity
    AND resolved_at IS NULL
    AND record_id = ANY(CAST(:record_ids AS text []))
