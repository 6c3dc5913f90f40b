-- Of the status changes that readings found since the first webhook came: how many of them no event
-- had told of between the reading before and shortly after the one that found it.
WITH first_event AS (
    SELECT min(e.received_at) AS received_at
    FROM ops.webhook_events AS e
    WHERE e.source = 'rosaas'
),

versions AS (
    SELECT
        v.tenant_name,
        v.status_code,
        v.valid_from,
        lag(v.status_code) OVER by_time AS earlier_code,
        lag(v.valid_from) OVER by_time AS earlier_from
    FROM warehouse.tenants_versions AS v
    WHERE v.source = 'rosaas'
    WINDOW by_time AS (PARTITION BY v.tenant_name ORDER BY v.valid_from)
),

changes AS (
    SELECT v.*
    FROM versions AS v
    CROSS JOIN first_event AS f
    WHERE
        v.earlier_from IS NOT NULL
        AND v.status_code IS DISTINCT FROM v.earlier_code
        AND v.valid_from >= greatest(f.received_at, :since)
)

SELECT
    count(*) AS changes,
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT FROM ops.webhook_events AS e
        WHERE
            e.source = 'rosaas'
            AND e.subject = c.tenant_name
            AND coalesce(e.repeated_at, e.received_at) >= c.earlier_from
            AND e.received_at <= c.valid_from + interval '1 min'
    )) AS untold
FROM changes AS c
