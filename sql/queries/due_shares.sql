-- How many records of each table a source is to have changed now.
SELECT
    u.entity,
    count(DISTINCT u.record) AS records
FROM push.updates AS u
WHERE
    u.source = :source
    AND u.status IN ('pending', 'sending', 'rejected')
    AND (u.next_attempt_at IS NULL OR u.next_attempt_at <= :now)
    AND NOT u.is_creation
GROUP BY u.entity
ORDER BY u.entity
