-- The open rows that are meant (a null leaves out nothing), without their bytes; with each of
-- them how many there are in all.
SELECT
    kept.id,
    kept.source || '/' || kept.entity AS stream,
    kept.scope,
    kept.record_id,
    kept.error_code AS code,
    kept.reason,
    kept.first_seen_at,
    kept.last_seen_at,
    count(*) OVER () AS matching
FROM ops.quarantine AS kept
WHERE
    kept.resolved_at IS NULL
    AND (CAST(:ids AS bigint []) IS NULL OR kept.id = any(CAST(:ids AS bigint [])))
    AND (
        CAST(:streams AS text []) IS NULL
        OR kept.source || '/' || kept.entity = any(CAST(:streams AS text []))
    )
    AND (CAST(:code AS text) IS NULL OR kept.error_code = :code)
ORDER BY kept.id
LIMIT :most
