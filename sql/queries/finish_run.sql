-- Close a run, with what its source client counted in all.
UPDATE ops.sync_runs
SET
    outcome = :outcome,
    is_complete = :is_complete,
    error = :error,
    finished_at = clock_timestamp(),
    requests = greatest(requests, :requests),
    retries = greatest(retries, :retries),
    bytes_read = greatest(bytes_read, :bytes_read)
WHERE run_id = :run_id AND source = :source AND entity = :entity
