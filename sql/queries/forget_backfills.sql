-- Backfills that nobody went on with; what they read stays.
DELETE FROM ops.backfills
WHERE
    source = :source
    AND entity = :entity
    AND begun_at < clock_timestamp() - CAST(:age AS interval)
