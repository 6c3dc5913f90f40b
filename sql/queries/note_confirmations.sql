-- How far these candidates are confirmed; locked in one order everywhere.
WITH answered AS (
    SELECT
        known.record_id,
        said.asked_at,
        said.answer,
        said.confirmed_at
    FROM unnest(
        CAST(:record_ids AS text []),
        CAST(:asked_at AS timestamptz []),
        CAST(:answers AS text []),
        CAST(:confirmed_at AS timestamptz [])
    ) AS said (record_id, asked_at, answer, confirmed_at)
    INNER JOIN ops.absences AS known ON known.record_id = said.record_id
    WHERE known.source = :source AND known.entity = :entity
    ORDER BY known.record_id
    FOR UPDATE OF known
)

UPDATE ops.absences AS known
SET
    asked_at = answered.asked_at,
    answer = answered.answer,
    confirmed_at = answered.confirmed_at
FROM answered
WHERE
    known.source = :source
    AND known.entity = :entity
    AND known.record_id = answered.record_id
