-- The pull did not bring these subjects: their events wait for the next attempt.
UPDATE ops.webhook_events AS e
SET error = s.error
FROM unnest(CAST(:subjects AS text []), CAST(:errors AS text [])) AS s (subject, error)
WHERE
    e.source = :source
    AND e.subject = s.subject
    AND e.processed_at IS NULL
