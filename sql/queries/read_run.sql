-- A run's row as it stands.
SELECT *
FROM ops.sync_runs
WHERE run_id = :run_id AND source = :source AND entity = :entity
