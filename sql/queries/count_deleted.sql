-- Add to a run what its closing deleted, and say what it left.
UPDATE ops.sync_runs
SET
    rows_deleted = rows_deleted + :deleted,
    is_delete_allowed = is_delete_allowed OR :is_allowed,
    absences_left = (
        SELECT count(*) FROM ops.absences WHERE source = :source AND entity = :entity
    )
WHERE run_id = :run_id AND source = :source AND entity = :entity
