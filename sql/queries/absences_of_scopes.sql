-- The next candidates after (:after_scope, :after_id) that are missing from one of these lists.
SELECT
    record_id,
    scope
FROM ops.absences
WHERE
    source = :source
    AND entity = :entity
    AND scope = ANY(CAST(:scopes AS text []))
    AND (scope, record_id) > (CAST(:after_scope AS text), CAST(:after_id AS text))
ORDER BY scope, record_id
LIMIT :most
