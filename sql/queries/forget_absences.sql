-- These records were seen: what was missed before that is no absence. Locked in one order
-- everywhere; a deletion that is under way is waited for, and then revived by the reading.
WITH known AS (
    SELECT known.record_id
    FROM unnest(CAST(:record_ids AS text []), CAST(:seen_at AS timestamptz []))
        AS seen (record_id, seen_at)
    INNER JOIN ops.absences AS known ON known.record_id = seen.record_id
    WHERE
        known.source = :source
        AND known.entity = :entity
        AND known.missed_at <= seen.seen_at
    ORDER BY known.record_id
    FOR UPDATE OF known
)

DELETE FROM ops.absences AS candidate
USING known
WHERE
    candidate.source = :source
    AND candidate.entity = :entity
    AND candidate.record_id = known.record_id
