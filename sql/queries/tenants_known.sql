-- What is known of tenants, as far as it was loaded since.
SELECT t.tenant_name, t.status, t.is_running, t.observed_at, t.deleted_at, t.loaded_at
FROM warehouse.tenants AS t
WHERE t.source = 'rosaas' AND t.loaded_at >= :since
ORDER BY t.loaded_at
