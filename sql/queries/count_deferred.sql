-- Scopes that wait for their own time because the API would not give them.
SELECT reason, count(*)
FROM ops.watermarks
WHERE
    source = :source
    AND entity = :entity
    AND reason = ANY(CAST(:deferred AS text []))
    AND due_at > :now
GROUP BY reason
