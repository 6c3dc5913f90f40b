-- The scopes of a stream by how their last reading was proven.
SELECT
    CASE WHEN reason IS NULL THEN proof ELSE proof || ': ' || reason END AS proof,
    count(*) AS scopes
FROM ops.watermarks
WHERE source = :source AND entity = :entity
GROUP BY 1
ORDER BY 1
