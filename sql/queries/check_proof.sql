-- How well a stream is proven complete: a proof from before :since is stale.
WITH scope AS (
    SELECT
        w.reason,
        w.proven_at,
        w.proven_at IS NULL OR w.proven_at < :since AS is_stale
    FROM ops.watermarks AS w
    WHERE w.source = :source AND w.entity = :entity
),

by_reason AS (
    SELECT
        reason,
        count(*) AS scopes
    FROM scope
    WHERE reason IS NOT NULL
    GROUP BY reason
),

last_run AS (
    SELECT scopes_total - scopes_read AS unread
    FROM ops.sync_runs
    WHERE source = :source AND entity = :entity AND outcome <> 'running'
    ORDER BY started_at DESC
    LIMIT 1
)

SELECT
    count(*) AS scopes,
    (SELECT coalesce(jsonb_object_agg(reason, scopes), '{}') FROM by_reason) AS incomplete,
    count(*) FILTER (WHERE is_stale) AS stale,
    count(*) FILTER (WHERE is_stale OR reason IS NOT NULL) AS unproven,
    (SELECT coalesce(max(greatest(unread, 0)), 0) FROM last_run) AS unread,
    min(proven_at) AS oldest_proven_at
FROM scope
