-- The next updates to send, with a try at the locks of their records: of each record the oldest
-- that waits for the machine, when it is due and no session has the record.
WITH held AS MATERIALIZED (
    SELECT (l.classid::bigint << 32) | l.objid::bigint AS key
    FROM pg_locks AS l
    WHERE
        l.locktype = 'advisory'
        AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
)

SELECT
    heads.id,
    heads.record,
    pg_try_advisory_lock(heads.key) AS is_locked
FROM (
    SELECT
        u.id,
        u.record,
        push.lock_key(u.record) AS key
    FROM push.updates AS u
    WHERE
        u.status IN ('pending', 'sending', 'rejected')
        AND (u.next_attempt_at IS NULL OR u.next_attempt_at <= :now)
        AND (CAST(:source AS text) IS NULL OR u.source = :source)
        AND NOT EXISTS (
            SELECT FROM push.updates AS older
            WHERE
                older.record = u.record
                AND older.id < u.id
                AND older.status IN ('pending', 'sending', 'rejected')
        )
        -- Looked up in a hash of them: there may be many of either.
        AND push.lock_key(u.record) NOT IN (SELECT held.key FROM held)
    ORDER BY u.id
    LIMIT :most
) AS heads
