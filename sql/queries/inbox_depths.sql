-- The events that wait to be worked off, by source.
SELECT
    e.source,
    count(*) AS waiting,
    count(*) FILTER (WHERE e.error IS NOT NULL) AS failing,
    min(coalesce(e.repeated_at, e.received_at)) AS oldest_at
FROM ops.webhook_events AS e
WHERE e.processed_at IS NULL
GROUP BY e.source
ORDER BY e.source
