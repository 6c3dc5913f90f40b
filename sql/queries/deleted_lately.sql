-- How many rows the runs over a stream have deleted since then, or since the last one that was
-- allowed to delete as many as there were.
SELECT coalesce(sum(rows_deleted), 0) AS deleted
FROM ops.sync_runs
WHERE
    source = :source
    AND entity = :entity
    AND started_at >= :since
    AND NOT EXISTS (
        SELECT 1 FROM ops.sync_runs AS allowed
        WHERE
            allowed.source = :source
            AND allowed.entity = :entity
            AND allowed.is_delete_allowed
            AND allowed.started_at >= sync_runs.started_at
    )
