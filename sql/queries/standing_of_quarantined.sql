-- What has become of these rows: how they were settled, or why a reading since then was rejected
-- (of the record, if the row names one, for whatever defect).
SELECT
    kept.id,
    kept.resolution,
    rejected.reason
FROM ops.quarantine AS kept
LEFT JOIN LATERAL (
    SELECT again.reason
    FROM ops.quarantine AS again
    WHERE
        again.source = kept.source
        AND again.entity = kept.entity
        AND again.resolved_at IS NULL
        AND (again.id = kept.id OR again.record_id = kept.record_id)
        AND again.last_seen_at >= :since
    ORDER BY again.id = kept.id DESC, again.id DESC
    LIMIT 1
) AS rejected ON kept.resolved_at IS NULL
WHERE
    kept.source = :source
    AND kept.entity = :entity
    AND kept.id = any(CAST(:ids AS bigint []))
