-- These fields are not in nearly all records after all.
DELETE FROM ops.fields
WHERE
    source = :source
    AND entity = :entity
    AND kind = 'usual'
    AND field = any(CAST(:fields AS text []))
