-- How many contacts `due_contacts` would name in all.
SELECT count(*)
FROM ops.contact_registry AS r
LEFT JOIN ops.watermarks AS w
    ON w.source = :source AND w.entity = :entity AND w.scope = r.contact_id
WHERE
    w.scope IS NULL
    OR (CAST(:as_of AS timestamptz) IS NULL AND w.due_at <= :now)
    OR (
        w.read_at < CAST(:as_of AS timestamptz)
        AND NOT (coalesce(w.reason = ANY(CAST(:deferred AS text [])), false) AND w.due_at > :now)
    )
