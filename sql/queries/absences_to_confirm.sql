-- The next candidates whose confirmation is due: those that were never asked for come first. A
-- confirmation from before :since no longer holds; none is asked for twice since :asked_before.
-- Without :can_ask those that two readings missed.
SELECT
    record_id,
    scope,
    missed_at,
    missed_again_at
FROM ops.absences
WHERE
    source = :source
    AND entity = :entity
    AND (
        CAST(:only AS text []) IS NULL
        OR record_id = ANY(CAST(:only AS text []))
        OR scope = ANY(CAST(:only AS text []))
    )
    AND (:can_ask OR missed_again_at IS NOT NULL)
    AND (asked_at IS NULL OR asked_at < :asked_before)
    AND (confirmed_at IS NULL OR confirmed_at < :since)
ORDER BY asked_at NULLS FIRST, record_id
LIMIT :most
