-- A run that is begun again under its own id goes on counting in the same row.
INSERT INTO ops.sync_runs (run_id, source, entity, cause)
VALUES (:run_id, :source, :entity, :cause)
ON CONFLICT (run_id, source, entity) DO UPDATE SET
    outcome = 'running', finished_at = NULL, error = NULL
