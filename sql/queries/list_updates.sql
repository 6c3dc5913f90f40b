-- The updates that are meant, the newest first, with the names of their fields and no value; with
-- each of them how many there are in all.
SELECT
    u.id,
    u.source || '/' || u.entity AS stream,
    u.entity_id,
    array_to_string(ARRAY(SELECT jsonb_object_keys(u.changes)), ', ') AS fields,
    u.status,
    u.attempts,
    u.next_attempt_at,
    u.requested_by,
    u.requested_at,
    u.model,
    u.error AS reason,
    count(*) OVER () AS matching
FROM push.updates AS u
INNER JOIN push.states AS s ON u.status = s.status
WHERE
    CASE
        WHEN CAST(:statuses AS text []) IS NOT NULL THEN u.status = any(CAST(:statuses AS text []))
        ELSE :is_all OR s.waits_for IS NOT NULL
    END
    AND (CAST(:model AS text) IS NULL OR u.model = :model)
ORDER BY u.id DESC
LIMIT :most
