-- Which of these tenants wait at RoSaaS for their work to be confirmed, as far as no update to their
-- status is on its way.
SELECT t.tenant_name, t.status_code
FROM warehouse.tenants AS t
WHERE
    t.source = 'rosaas'
    AND t.tenant_name = ANY(CAST(:names AS text []))
    AND t.status_code = ANY(CAST(:at_work AS integer []))
    AND t.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM push.updates AS u
        WHERE
            u.source = 'rosaas'
            AND u.entity = 'tenants'
            AND u.entity_id = t.tenant_name
            AND u.changes ? 'status'
            AND u.status IN ('pending', 'sending', 'rejected', 'held', 'conflict', 'uncertain', 'dead')
    )
ORDER BY t.tenant_name
