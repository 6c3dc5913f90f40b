-- Attempts at updates that are decided, the oldest first; of others every one is kept.
DELETE FROM push.deliveries
WHERE id IN (
    SELECT d.id
    FROM push.deliveries AS d
    INNER JOIN push.updates AS u ON d.update_id = u.id
    INNER JOIN push.states AS s ON u.status = s.status AND s.waits_for IS NULL
    WHERE d.noted_at < :before
    ORDER BY d.noted_at
    LIMIT :most
)
