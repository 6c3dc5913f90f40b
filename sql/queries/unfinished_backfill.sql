-- The latest backfill of these days that has not come to its end, and how much of it was read.
SELECT
    b.origin,
    count(p.contact_id) AS contacts
FROM ops.backfills AS b
LEFT JOIN ops.backfill_progress AS p ON p.backfill_id = b.id
WHERE
    b.source = :source
    AND b.entity = :entity
    AND b.windows = :windows
    AND b.begun_at >= :since
GROUP BY b.id
ORDER BY b.begun_at DESC
LIMIT 1
