-- The updates that a cycle would send, in order, without taking any: those that `find_due_updates`
-- has, and those behind them. `planned_by` is the model of one that this very transaction made.
SELECT
    u.id, u.source, u.entity, u.entity_id, u.changes, u.base, u.base_at, u.status, u.attempts,
    u.refusals, u.record,
    CASE
        WHEN u.xmin = pg_current_xact_id_if_assigned()::xid AND u.requested_at >= now() THEN u.model
    END AS planned_by
FROM push.updates AS u
WHERE
    u.status IN ('pending', 'sending', 'rejected')
    AND (u.next_attempt_at IS NULL OR u.next_attempt_at <= :now)
    AND u.source = :source
    AND NOT EXISTS (
        -- What is not due yet keeps back what is behind it.
        SELECT FROM push.updates AS older
        WHERE
            older.record = u.record
            AND older.id < u.id
            AND older.status IN ('pending', 'sending', 'rejected')
            AND older.next_attempt_at > :now
    )
ORDER BY u.id
LIMIT :most
