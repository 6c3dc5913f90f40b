-- How many tenants are in which status, and how many of them run?
SELECT
    status,
    count(*) AS tenants,
    count(*) FILTER (WHERE is_running) AS running
FROM warehouse.tenants
WHERE deleted_at IS NULL
GROUP BY status
ORDER BY tenants DESC, status
LIMIT 10
