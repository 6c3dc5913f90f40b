-- A later reading of these records was sound.
WITH settled AS (
    SELECT kept.id
    FROM unnest(CAST(:record_ids AS text []), CAST(:observed_at AS timestamptz []))
        AS sound (record_id, observed_at)
    INNER JOIN ops.quarantine AS kept ON kept.record_id = sound.record_id
    WHERE
        kept.source = :source
        AND kept.entity = :entity
        AND kept.resolved_at IS NULL
        AND kept.observed_at < sound.observed_at
    ORDER BY kept.id
    FOR UPDATE OF kept
)

UPDATE ops.quarantine AS kept
SET resolved_at = clock_timestamp(), resolution = 'loaded'
FROM settled
WHERE kept.id = settled.id
