-- The scopes among these whose detail was not read since :since.
SELECT wanted.scope
FROM unnest(CAST(:scopes AS text [])) AS wanted (scope)
LEFT JOIN ops.watermarks AS w
    ON w.source = :source AND w.entity = :entity AND w.scope = wanted.scope
WHERE w.proven_at IS NULL OR w.proven_at < :since
