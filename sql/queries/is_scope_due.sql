-- Whether one scope is due: never read, or as `ops.is_due` says; nothing defers it.
SELECT
    NOT EXISTS (
        SELECT 1 FROM ops.watermarks AS w
        WHERE
            w.source = :source
            AND w.entity = :entity
            AND w.scope = :scope
            AND NOT ops.is_due(w.due_at, w.read_at, false, :now, CAST(:as_of AS timestamptz))
    )
