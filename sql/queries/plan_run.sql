-- How much a run set out to read.
UPDATE ops.sync_runs
SET scopes_total = :scopes_total
WHERE run_id = :run_id AND source = :source AND entity = :entity
