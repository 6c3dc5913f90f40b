-- How many of the oldest updates that `peek_updates` has belong to each source.
SELECT
    oldest.source,
    count(*) AS updates
FROM (
    SELECT u.source
    FROM push.updates AS u
    WHERE
        u.status IN ('pending', 'sending', 'rejected')
        AND (u.next_attempt_at IS NULL OR u.next_attempt_at <= :now)
        AND u.source = any(CAST(:sources AS text []))
        AND NOT EXISTS (
            SELECT FROM push.updates AS older
            WHERE
                older.record = u.record
                AND older.id < u.id
                AND older.status IN ('pending', 'sending', 'rejected')
                AND older.next_attempt_at > :now
        )
    ORDER BY u.id
    LIMIT :most
) AS oldest
GROUP BY oldest.source
