-- The views in the schemas that ours are in.
SELECT c.oid
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname IN ('masked', 'mart', 'mart_pii', 'push')
