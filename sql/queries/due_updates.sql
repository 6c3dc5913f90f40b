-- What could be claimed now, as `find_due_updates` has it, and when the next may be.
WITH held AS MATERIALIZED (
    SELECT (l.classid::bigint << 32) | l.objid::bigint AS key
    FROM pg_locks AS l
    WHERE
        l.locktype = 'advisory'
        AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
),

heads AS (
    SELECT DISTINCT ON (u.record)
        u.id,
        u.record,
        u.attempts,
        u.next_attempt_at
    FROM push.updates AS u
    WHERE u.status IN ('pending', 'sending', 'rejected') AND u.source = any(CAST(:sources AS text []))
    ORDER BY u.record, u.id
)

SELECT
    count(h.id) FILTER (WHERE is_due) AS count,
    min(h.id) FILTER (WHERE is_due) AS first_id,
    max(h.id) FILTER (WHERE is_due) AS last_id,
    coalesce(sum(h.attempts) FILTER (WHERE is_due), 0)::bigint AS attempts,
    min(h.next_attempt_at) FILTER (WHERE NOT is_due) AS next_due_at
FROM heads AS h
CROSS JOIN LATERAL (
    SELECT coalesce(h.next_attempt_at <= :now, true) AS is_due
) AS said
WHERE push.lock_key(h.record) NOT IN (SELECT held.key FROM held)
