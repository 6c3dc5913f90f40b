-- What a person decided about updates. One in conflict that is to be sent all the same is sent
-- over the values that were seen then, and over no others.
UPDATE push.updates AS u
SET
    status = :status,
    decided_by = :decided_by,
    decided_at = clock_timestamp(),
    next_attempt_at = NULL,
    refusals = CASE :status WHEN 'pending' THEN 0 ELSE u.refusals END,
    error = CASE :status WHEN 'pending' THEN NULL ELSE u.error END,
    base = CASE
        WHEN u.status <> 'conflict' OR :status <> 'pending' THEN u.base
        ELSE u.base || coalesce((
            SELECT jsonb_object_agg(seen.field, seen.value)
            FROM jsonb_each((
                SELECT d.before
                FROM push.deliveries AS d
                WHERE d.update_id = u.id AND d.before IS NOT NULL
                ORDER BY d.id DESC LIMIT 1
            )) AS seen (field, value)
            WHERE u.changes ? seen.field
        ), '{}')
    END
WHERE u.id = any(CAST(:ids AS bigint [])) AND u.status = any(CAST(:from_statuses AS text []))
RETURNING u.id, u.status
