-- How the fields of streams differ from what the mapping knows (a null leaves out nothing).
SELECT
    source || '/' || entity AS stream,
    field,
    kind,
    example_type,
    rows_seen AS rows,
    first_seen_at,
    last_seen_at
FROM ops.fields
WHERE
    kind <> 'usual'
    AND (
        CAST(:streams AS text []) IS NULL
        OR source || '/' || entity = any(CAST(:streams AS text []))
    )
    AND (CAST(:run_ids AS text []) IS NULL OR run_id = any(CAST(:run_ids AS text [])))
ORDER BY source, entity, kind, field
