-- How many contacts wait in the queues of due_*.sql, and how old the oldest reading among them is.
SELECT
    count(*) AS due,
    count(*) FILTER (WHERE w.scope IS NULL) AS unread,
    min(w.aged_from) AS oldest_at
FROM ops.contact_registry AS r
LEFT JOIN ops.watermarks AS w
    ON w.source = :source AND w.entity = :entity AND w.scope = r.contact_id
WHERE
    w.scope IS NULL
    OR ops.is_due(
        w.due_at, w.read_at, ops.is_deferred(w.reason, CAST(:deferred AS text [])),
        :now, CAST(:as_of AS timestamptz)
    )
    OR (
        ops.is_hinted(r.hinted_at, w.read_at, :hinted_since)
        AND (CAST(:as_of AS timestamptz) IS NULL OR w.read_at < CAST(:as_of AS timestamptz))
        AND NOT (ops.is_deferred(w.reason, CAST(:deferred AS text [])) AND w.due_at > :now)
    )
