-- What a stream that is read contact by contact has to read, and what that took in its last runs.
SELECT
    (
        SELECT count(*) FROM ops.contact_registry
    ) - (
        SELECT count(*)
        FROM ops.watermarks AS w
        INNER JOIN ops.contact_registry AS r ON r.contact_id = w.scope
        WHERE
            w.source = :source
            AND w.entity = :entity
            AND w.reason = ANY(CAST(:deferred AS text []))
            AND w.due_at > :now
    ) AS contacts,
    CAST(sum(recent.requests) AS double precision) / sum(recent.scopes_read) AS requests_each
FROM (
    SELECT
        requests,
        scopes_read
    FROM ops.sync_runs
    WHERE source = :source AND entity = :entity AND outcome <> 'running' AND scopes_read > 0
    ORDER BY started_at DESC
    LIMIT 20
) AS recent
