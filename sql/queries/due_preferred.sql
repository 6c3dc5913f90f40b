-- Due contacts that somebody gave a priority, the highest first.
SELECT
    r.contact_id,
    -CAST(r.priority AS integer) AS rank,
    timestamptz '0001-01-01 00:00:00+00' AS due
FROM ops.contact_registry AS r
LEFT JOIN ops.watermarks AS w
    ON w.source = :source AND w.entity = :entity AND w.scope = r.contact_id
WHERE
    r.priority > 0
    AND (-r.priority, r.contact_id) > (CAST(:after_rank AS integer), CAST(:after_id AS text))
    AND NOT ops.is_hinted(r.hinted_at, w.read_at, :hinted_since)
    AND (
        w.scope IS NULL
        OR ops.is_due(
            w.due_at, w.read_at, ops.is_deferred(w.reason, CAST(:deferred AS text [])),
            :now, CAST(:as_of AS timestamptz)
        )
    )
ORDER BY r.priority DESC, r.contact_id
LIMIT :most
