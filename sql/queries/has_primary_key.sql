-- Whether a table of the warehouse has a valid primary key on these columns.
SELECT EXISTS (
    SELECT 1
    FROM pg_index AS i
    WHERE
        i.indrelid = to_regclass('warehouse.' || quote_ident(:entity))
        AND i.indisprimary
        AND i.indisvalid
        AND (
            SELECT array_agg(a.attname::text ORDER BY a.attname)
            FROM pg_attribute AS a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
        ) = (SELECT array_agg(name ORDER BY name) FROM unnest(CAST(:key AS text [])) AS k (name))
)
