-- Of a pull that failed, what it had loaded by then is read: these events are processed.
UPDATE ops.webhook_events AS e
SET
    processed_at = clock_timestamp(),
    error = NULL
FROM ops.watermarks AS w
WHERE
    e.source = :source
    AND e.subject = ANY(CAST(:subjects AS text []))
    AND e.processed_at IS NULL
    AND w.source = :source
    AND w.entity = :entity
    AND w.scope = e.subject
    AND w.proven_at > coalesce(e.repeated_at, e.received_at)
