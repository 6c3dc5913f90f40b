-- What is known of a stream's fields: which nearly all records have, and which are news.
SELECT
    field,
    kind
FROM ops.fields
WHERE source = :source AND entity = :entity AND kind IN ('usual', 'new')
