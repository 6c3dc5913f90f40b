-- Whether one scope is due: never read, or by its own time; with :as_of, not read since then.
SELECT
    NOT EXISTS (
        SELECT 1 FROM ops.watermarks AS w
        WHERE
            w.source = :source
            AND w.entity = :entity
            AND w.scope = :scope
            AND NOT (CAST(:as_of AS timestamptz) IS NULL AND w.due_at <= :now)
            AND NOT coalesce(w.read_at < CAST(:as_of AS timestamptz), false)
    )
