-- A retried Dagster run keeps its id: its row starts anew.
INSERT INTO ops.sync_runs (run_id, source, entity, cause)
VALUES (:run_id, :source, :entity, :cause)
ON CONFLICT (run_id, source, entity) DO UPDATE SET
    outcome = 'running', finished_at = NULL, error = NULL
