-- Contacts of which something told that they changed after they were read, the oldest hint first.
-- They are due before their own time, but for those that wait for a reason of their own.
SELECT
    r.contact_id,
    0 AS rank,
    r.hinted_at AS due
FROM ops.contact_registry AS r
LEFT JOIN ops.watermarks AS w
    ON w.source = :source AND w.entity = :entity AND w.scope = r.contact_id
WHERE
    r.hinted_at > :hinted_since
    AND (r.hinted_at, r.contact_id) > (CAST(:after_due AS timestamptz), CAST(:after_id AS text))
    AND (
        w.scope IS NULL
        OR (
            w.read_at < r.hinted_at
            AND (CAST(:as_of AS timestamptz) IS NULL OR w.read_at < CAST(:as_of AS timestamptz))
            AND NOT (ops.is_deferred(w.reason, CAST(:deferred AS text [])) AND w.due_at > :now)
        )
    )
ORDER BY r.hinted_at, r.contact_id
LIMIT :most
