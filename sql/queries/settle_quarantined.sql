-- Settle those of these rows that are open.
UPDATE ops.quarantine
SET resolved_at = clock_timestamp(), resolution = :resolution
WHERE id = any(CAST(:ids AS bigint [])) AND resolved_at IS NULL
RETURNING id
