-- The fields of an update that hold now what an older update wrote after its base was seen.
SELECT now_there.field
FROM push.updates AS u
CROSS JOIN jsonb_each(CAST(:present AS jsonb)) AS now_there (field, value)
INNER JOIN push.ledger AS l
    ON
        u.source = l.source
        AND u.entity = l.entity
        AND u.entity_id = l.entity_id
        AND now_there.field = l.field
WHERE
    u.id = :id
    AND l.update_id < u.id
    AND l.written_at >= u.base_at
    AND l.value_hash = push.value_hash(now_there.value)
