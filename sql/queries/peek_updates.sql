-- The next updates to send, as `find_due_updates` has them, without taking any.
SELECT
    u.id, u.source, u.entity, u.entity_id, u.changes, u.base, u.base_at, u.status, u.attempts,
    u.refusals, u.requested_at
FROM push.updates AS u
WHERE
    u.status IN ('pending', 'sending', 'rejected')
    AND (u.next_attempt_at IS NULL OR u.next_attempt_at <= :now)
    AND u.source = :source
    AND NOT EXISTS (
        SELECT FROM push.updates AS older
        WHERE
            older.record = u.record
            AND older.id < u.id
            AND older.status IN ('pending', 'sending', 'rejected')
    )
ORDER BY u.id
LIMIT :most
