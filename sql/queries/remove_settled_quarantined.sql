-- Rejected records that a later reading settled, the oldest first; what a person has discarded is kept,
-- so that the same bytes stay discarded.
DELETE FROM ops.quarantine
WHERE id IN (
    SELECT id
    FROM ops.quarantine
    WHERE resolved_at < :before AND resolution NOT LIKE 'discarded:%'
    ORDER BY resolved_at
    LIMIT :most
)
