-- The columns of a push model beside its key, and whether the API as it is configured has each.
SELECT
    a.attname AS field,
    EXISTS (
        SELECT FROM push.fields AS f
        LEFT JOIN push.apis AS spoken ON f.source = spoken.source
        WHERE
            f.source = :source
            AND f.entity = :entity
            AND (
                f.api_versions IS NULL
                OR spoken.version IS NULL
                OR spoken.version = any(f.api_versions)
            )
            AND (
                f.field = a.attname
                OR (right(f.field, 2) = '.*' AND starts_with(a.attname, left(f.field, -1)))
            )
    ) AS is_pushable
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON a.attrelid = c.oid AND c.relkind IN ('r', 'v', 'm')
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
WHERE n.nspname = 'push' AND c.relname = :model AND a.attnum > 0 AND a.attname <> 'entity_id'
ORDER BY a.attnum
