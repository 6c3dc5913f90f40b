-- Lock what is known of these scopes until the transaction ends, in one order everywhere.
SELECT
    scope,
    changed_at
FROM ops.watermarks
WHERE source = :source AND entity = :entity AND scope = ANY(CAST(:scopes AS text []))
ORDER BY scope
FOR UPDATE
