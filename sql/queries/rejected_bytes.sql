-- What was rejected, with its bytes, by the id of its row.
SELECT
    id,
    record_id,
    payload_raw,
    error_code,
    reason,
    observed_at,
    scope
FROM ops.quarantine
WHERE id = any(CAST(:ids AS bigint []))
