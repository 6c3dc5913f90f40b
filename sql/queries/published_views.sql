-- The views that were made, from what, and whether they are still there.
SELECT
    p.schema_name,
    p.view_name,
    p.fingerprint,
    -- Not by a look-up of the name, which asks for rights on the schema.
    EXISTS (
        SELECT FROM pg_class AS c
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = p.schema_name AND c.relname = p.view_name AND c.relkind = 'v'
    ) AS is_there
FROM ops.published_views AS p
ORDER BY p.schema_name, p.view_name
