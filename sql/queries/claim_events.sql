-- Claim all waiting events of the subjects whose turn it is, the oldest first. After each attempt
-- the next one is further away: a minute at first, an hour at most.
WITH waiting AS (
    SELECT
        e.subject,
        min(e.id) AS first_id,
        bool_or(e.attempts > 0 AND e.error IS NOT NULL) AS has_failed
    FROM ops.webhook_events AS e
    WHERE
        e.source = :source
        AND e.processed_at IS NULL
        AND e.subject IS NOT NULL
    GROUP BY e.subject
    HAVING bool_or(e.next_attempt_at <= clock_timestamp())
),

placed AS (
    SELECT
        w.subject,
        w.has_failed,
        row_number() OVER (PARTITION BY w.has_failed ORDER BY w.first_id) AS place,
        count(*) OVER (PARTITION BY w.has_failed) AS peers
    FROM waiting AS w
),

-- Of those that failed before, four: so few do not end a pull before all of it was read (five in a
-- row do), and one that cannot be read keeps no other. Of a great many, as the source being down
-- leaves them, a tenth.
due AS (
    SELECT
        p.subject,
        p.has_failed
    FROM placed AS p
    WHERE NOT p.has_failed OR p.place <= greatest(4, p.peers / 10)
    ORDER BY p.place, p.has_failed
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
    RETURNING e.id, e.subject, d.has_failed
),

taken AS (
    SELECT
        c.subject,
        c.has_failed,
        min(c.id) AS first_id,
        max(c.id) AS last_id
    FROM claimed AS c
    GROUP BY c.subject, c.has_failed
)

SELECT
    -- They are read in this order.
    array_agg(t.subject ORDER BY t.has_failed, t.subject) AS subjects,
    min(t.first_id) AS first_id,
    max(t.last_id) AS last_id,
    clock_timestamp() AS claimed_at
FROM taken AS t
