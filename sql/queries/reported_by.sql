-- The fields that an update has written already.
SELECT l.field
FROM push.updates AS u
INNER JOIN push.ledger AS l
    ON u.source = l.source AND u.entity = l.entity AND u.entity_id = l.entity_id AND u.id = l.update_id
WHERE u.id = :id
