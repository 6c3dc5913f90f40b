-- Report the end of the work for which RoSaaS has tenants wait: an update of the status for each of
-- them (a null means all) that waits. One for each stay in such a status, whatever became of it: what
-- a person declined is not asked for again. Of an earlier stay only what is on its way is waited for.
INSERT INTO push.updates (
    source, entity, entity_id, changes, base, base_at, requested_by, status
)
SELECT
    t.source,
    'tenants',
    t.tenant_name,
    jsonb_build_object('status', w.end_status),
    jsonb_build_object('status', t.status),
    t.observed_at,
    session_user,
    :status
FROM warehouse.tenants AS t
INNER JOIN unnest(CAST(:at_work AS integer []), CAST(:end_statuses AS text []))
    AS w (status_code, end_status)
    ON t.status_code = w.status_code
CROSS JOIN LATERAL (
    SELECT coalesce(max(h.valid_to), '-infinity') AS began_at
    FROM warehouse.tenants_history AS h
    WHERE
        h.source = t.source
        AND h.tenant_name = t.tenant_name
        AND h.status_code IS DISTINCT FROM t.status_code
) AS stay
WHERE
    t.source = 'rosaas'
    AND (CAST(:names AS text []) IS NULL OR t.tenant_name = ANY(CAST(:names AS text [])))
    AND t.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM push.updates AS u
        WHERE
            u.record = 'rosaas/tenants/' || t.tenant_name
            AND (u.changes || u.superseded_by) ? 'status'
            AND (
                u.requested_at >= stay.began_at
                OR u.status IN ('pending', 'sending', 'rejected')
            )
    )
ORDER BY t.tenant_name
RETURNING id
