-- Take updates whose records this session has locked, if they are still due: before the lock was
-- had, another worker may have sent them. One that somebody changes at this moment is left.
WITH free AS (
    SELECT
        u.id,
        u.status AS was,
        -- One that a worker let go knows when it was sent; one whose session ended may have sent
        -- it as late as now, or a little later.
        CASE
            WHEN u.status <> 'sending' THEN NULL
            WHEN u.claimed_by IS NULL THEN u.sent_at
            ELSE CAST(:lost_until AS timestamptz)
        END AS maybe_sent_at
    FROM push.updates AS u
    WHERE
        u.id = any(CAST(:ids AS bigint []))
        AND u.status IN ('pending', 'sending', 'rejected')
        AND (u.next_attempt_at IS NULL OR u.next_attempt_at <= :now)
        AND NOT EXISTS (
            SELECT FROM push.updates AS older
            WHERE
                older.record = u.record
                AND older.id < u.id
                AND older.status IN ('pending', 'sending', 'rejected')
        )
    FOR UPDATE OF u SKIP LOCKED
)

UPDATE push.updates AS u
SET
    status = 'sending',
    attempts = u.attempts + 1,
    sending_since = :now,
    sent_at = greatest(u.sent_at, free.maybe_sent_at),
    claimed_by = :claimed_by
FROM free
WHERE u.id = free.id
RETURNING
    u.id, u.source, u.entity, u.entity_id, u.changes, u.base, u.base_at, u.status, u.attempts,
    u.refusals, u.record, free.was, free.maybe_sent_at
