-- What the API would not give earlier, and was not asked for again, still counts.
UPDATE ops.sync_runs
SET
    scopes_denied = greatest(scopes_denied, :denied),
    scopes_incomplete = greatest(scopes_incomplete, :incomplete)
WHERE run_id = :run_id AND source = :source AND entity = :entity
