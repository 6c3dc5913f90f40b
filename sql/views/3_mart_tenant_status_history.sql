-- One row per tenant and stretch of time in one status.
CREATE VIEW :mart.tenant_status_history WITH (security_barrier) AS
WITH versions AS (
    SELECT
        source,
        tenant_name,
        status,
        status_code,
        valid_from,
        valid_to,
        deleted_at IS NOT NULL AS is_gone,
        -- Whether a stretch begins here: the version before is of another status, or was gone.
        (status, status_code, deleted_at IS NOT NULL) IS DISTINCT FROM
        lag((status, status_code, deleted_at IS NOT NULL)) OVER by_time AS is_new
    FROM :tables.tenants_versions
    WINDOW by_time AS (PARTITION BY source, tenant_name ORDER BY valid_from)
),

numbered AS (
    SELECT
        *,
        count(*) FILTER (WHERE is_new) OVER (
            PARTITION BY source, tenant_name ORDER BY valid_from
        ) AS stretch
    FROM versions
)

SELECT
    source,
    tenant_name,
    status,
    status_code,
    min(valid_from) AS valid_from,
    -- The current version has no end, and is the last of its stretch.
    CASE WHEN bool_and(valid_to IS NOT NULL) THEN max(valid_to) END AS valid_to
FROM numbered
WHERE NOT is_gone
GROUP BY source, tenant_name, stretch, status, status_code;

COMMENT ON VIEW :mart.tenant_status_history IS
'Which tenant was in which status and when, one row per stretch of time in one status';
COMMENT ON COLUMN :mart.tenant_status_history.source IS 'The system that the row comes from';
COMMENT ON COLUMN :mart.tenant_status_history.tenant_name IS 'The tenant''s unique name';
COMMENT ON COLUMN :mart.tenant_status_history.status IS
'The vendor''s name of the status, for example Active';
COMMENT ON COLUMN :mart.tenant_status_history.status_code IS 'The vendor''s number of the status';
COMMENT ON COLUMN :mart.tenant_status_history.valid_from IS
'When the tenant was first read in this status';
COMMENT ON COLUMN :mart.tenant_status_history.valid_to IS
'When it was first read in another one, or found gone; null for the present status';
