-- Keep rejected records with their bytes; the same defect of the same record stays one row.
-- An older reading of it changes nothing.
INSERT INTO ops.quarantine AS kept (
    source, entity, record_id, payload_raw, payload, reason, error_code, observed_at, scope
)
SELECT
    :source,
    :entity,
    r.record_id,
    r.payload_raw,
    CAST(r.payload AS jsonb),
    r.reason,
    r.error_code,
    r.observed_at,
    r.scope
FROM unnest(
    CAST(:record_ids AS text []),
    CAST(:payloads_raw AS bytea []),
    CAST(:payloads AS text []),
    CAST(:reasons AS text []),
    CAST(:error_codes AS text []),
    CAST(:observed_at AS timestamptz []),
    CAST(:scopes AS text [])
) AS r (record_id, payload_raw, payload, reason, error_code, observed_at, scope)
ON CONFLICT (
    source, entity, error_code, coalesce(record_id, encode(sha256(payload_raw), 'hex'))
) WHERE resolved_at IS NULL
DO UPDATE SET
    payload_raw = excluded.payload_raw,
    payload = excluded.payload,
    reason = excluded.reason,
    observed_at = excluded.observed_at,
    scope = excluded.scope,
    last_seen_at = clock_timestamp()
WHERE excluded.observed_at >= kept.observed_at
