-- One update with its values.
SELECT
    u.id,
    u.source || '/' || u.entity AS stream,
    u.entity_id,
    u.status,
    s.waits_for,
    u.changes,
    u.base,
    u.base_at,
    u.superseded_by,
    u.superseded_changes,
    u.requested_by,
    u.requested_at,
    u.model,
    u.attempts,
    u.next_attempt_at,
    u.sent_at,
    u.created_id,
    u.error,
    u.decided_by,
    u.decided_at
FROM push.updates AS u
INNER JOIN push.states AS s ON u.status = s.status
WHERE u.id = :id
