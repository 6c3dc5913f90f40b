-- Write down which views there are that were not there before.
INSERT INTO ops.published_views (schema_name, view_name, fingerprint)
SELECT n.nspname, c.relname, :fingerprint
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind = 'v'
    AND n.nspname IN ('masked', 'mart', 'mart_pii', 'push')
    AND c.oid <> ALL (CAST(:others AS oid []))
