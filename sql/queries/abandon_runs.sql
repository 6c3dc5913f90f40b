-- A run holds a lock of its own while it lives: one that can be had is that of a dead run.
WITH running AS MATERIALIZED (
    SELECT run_id
    FROM ops.sync_runs
    WHERE source = :source AND entity = :entity AND outcome = 'running'
)

UPDATE ops.sync_runs AS dead
SET
    outcome = 'abandoned',
    finished_at = clock_timestamp(),
    error = 'its process ended without a word; what it had committed is kept'
FROM running
WHERE
    dead.run_id = running.run_id
    AND dead.source = :source
    AND dead.entity = :entity
    AND pg_try_advisory_xact_lock(
        hashtextextended('sync-pipeline run ' || running.run_id || ' ' || :stream, 0)
    )
RETURNING dead.run_id
