-- One row of the quarantine with its bytes.
SELECT
    id,
    source || '/' || entity AS stream,
    record_id,
    scope,
    error_code AS code,
    reason,
    observed_at,
    first_seen_at,
    last_seen_at,
    resolved_at,
    resolution,
    payload_raw
FROM ops.quarantine
WHERE id = :id
