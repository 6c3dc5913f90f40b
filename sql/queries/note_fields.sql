-- Count what a batch told of its fields; what is seen for the first time has one time, not two.
INSERT INTO ops.fields AS kept (
    source, entity, field, kind, rows_seen, example_type, run_id, first_seen_at, last_seen_at
)
SELECT
    :source,
    :entity,
    f.field,
    f.kind,
    f.rows_seen,
    f.example_type,
    :run_id,
    statement_timestamp(),
    statement_timestamp()
FROM unnest(
    CAST(:fields AS text []),
    CAST(:kinds AS text []),
    CAST(:rows_seen AS bigint []),
    CAST(:example_types AS text [])
) AS f (field, kind, rows_seen, example_type)
ON CONFLICT (source, entity, field, kind) DO UPDATE SET
    rows_seen = kept.rows_seen + excluded.rows_seen,
    example_type = CASE
        WHEN excluded.example_type = 'null' THEN kept.example_type
        ELSE excluded.example_type
    END,
    last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at),
    run_id = excluded.run_id
