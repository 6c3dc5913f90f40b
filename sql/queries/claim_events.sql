-- Claim all waiting events of the subjects whose turn it is, the oldest first. After each attempt
-- the next one is further away: a minute at first, an hour at most.
WITH due AS (
    SELECT e.subject
    FROM ops.webhook_events AS e
    WHERE
        e.source = :source
        AND e.processed_at IS NULL
        AND e.subject IS NOT NULL
    GROUP BY e.subject
    HAVING bool_or(e.next_attempt_at <= clock_timestamp())
    ORDER BY min(e.id)
    LIMIT :most
),

claimed AS (
    UPDATE ops.webhook_events AS e
    SET
        attempts = e.attempts + 1,
        next_attempt_at
        = clock_timestamp() + least(interval '1 min' * power(2, least(e.attempts, 6)), interval '1 h')
    FROM due AS d
    WHERE
        e.source = :source
        AND e.processed_at IS NULL
        AND e.subject = d.subject
    RETURNING e.id, e.subject
)

SELECT
    array_agg(DISTINCT c.subject) AS subjects,
    min(c.id) AS first_id,
    max(c.id) AS last_id,
    clock_timestamp() AS claimed_at
FROM claimed AS c
