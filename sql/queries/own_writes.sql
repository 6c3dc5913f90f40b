-- The fields of a record that hold now what an older update wrote after the base was seen.
SELECT now_there.field
FROM jsonb_each(CAST(:present AS jsonb)) AS now_there (field, value)
INNER JOIN push.ledger AS l ON now_there.field = l.field
WHERE
    l.source = :source
    AND l.entity = :entity
    AND l.entity_id = :entity_id
    AND l.update_id < :id
    AND l.written_at >= :base_at
    AND l.value_hash = push.value_hash(now_there.value)
