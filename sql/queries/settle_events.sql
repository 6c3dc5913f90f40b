-- The events that a reading answered are processed; those that came again after it had begun are due.
UPDATE ops.webhook_events AS e
SET
    processed_at = CASE
        WHEN coalesce(e.repeated_at, e.received_at) < :began_at THEN clock_timestamp()
    END,
    next_attempt_at = CASE
        WHEN coalesce(e.repeated_at, e.received_at) < :began_at THEN e.next_attempt_at
        ELSE clock_timestamp()
    END,
    error = s.reason
FROM unnest(CAST(:subjects AS text []), CAST(:reasons AS text [])) AS s (subject, reason)
WHERE
    e.source = :source
    AND e.subject = s.subject
    AND e.processed_at IS NULL
