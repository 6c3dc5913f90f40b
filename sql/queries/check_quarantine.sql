-- The open rows of a stream's quarantine by the kind of defect.
SELECT
    error_code,
    count(*) AS open
FROM ops.quarantine
WHERE source = :source AND entity = :entity AND resolved_at IS NULL
GROUP BY error_code
ORDER BY error_code
