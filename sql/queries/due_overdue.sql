-- Due contacts whose reading is so old that they come before what changed lately, the oldest first.
SELECT
    w.scope AS contact_id,
    0 AS rank,
    w.aged_from AS due
FROM ops.watermarks AS w
INNER JOIN ops.contact_registry AS r ON r.contact_id = w.scope
WHERE
    w.source = :source
    AND w.entity = :entity
    AND w.aged_from <= :overdue_before
    AND (w.aged_from, w.scope) > (CAST(:after_due AS timestamptz), CAST(:after_id AS text))
    AND r.priority <= 0
    AND NOT ops.is_hinted(r.hinted_at, w.read_at, :hinted_since)
    AND ops.is_due(
        w.due_at, w.read_at, ops.is_deferred(w.reason, CAST(:deferred AS text [])),
        :now, CAST(:as_of AS timestamptz)
    )
ORDER BY w.aged_from, w.scope
LIMIT :most
