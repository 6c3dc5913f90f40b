-- Which of these Dagster runs have died: a run over one stream is dead when its row says so.
SELECT run_id
FROM ops.sync_runs
WHERE run_id = ANY(CAST(:run_ids AS text []))
GROUP BY run_id
HAVING bool_or(outcome = 'abandoned') AND NOT bool_or(outcome = 'running')
