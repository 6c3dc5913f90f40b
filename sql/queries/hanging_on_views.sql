-- What somebody made on views of ours, and on which.
SELECT DISTINCT
    CASE
        WHEN v.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
        ELSE pg_describe_object('pg_class'::regclass, v.oid, 0)
    END AS thing,
    ours.schema_name || '.' || ours.view_name AS view
FROM ops.published_views AS ours
INNER JOIN pg_depend AS d
    ON
        d.refclassid = 'pg_class'::regclass
        AND d.refobjid = to_regclass(format('%I.%I', ours.schema_name, ours.view_name))
        AND d.deptype = 'n'
LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_class AS v ON v.oid = w.ev_class
WHERE
    v.oid IS NULL
    OR NOT EXISTS (
        SELECT FROM ops.published_views AS o
        WHERE to_regclass(format('%I.%I', o.schema_name, o.view_name)) = v.oid
    )
ORDER BY 1, 2
